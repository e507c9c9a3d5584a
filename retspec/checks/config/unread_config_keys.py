"""`unread_config_keys`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import FollowedConfig
from retspec.plugin import Count, Inconclusive, Observed, check
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable

Allow = Annotated[
    list[str], Meta(description="Dotted places that may stay unread, such as logging.project; * stands for anything.")
]


@check(
    direction="at most",
    unit="keys",
    default_limit=0,
    advice="Compare the names of the keys in the details with those that the training reads: a key may be misspelt, "
    "lie in another section, or have lost its reader. Allow those that another program reads.",
)
def unread_config_keys(config_reads: FollowedConfig, *, allow: Allow = []) -> Observed[Count]:  # noqa: B006 - read only
    """Does the training read every key of its config?

    Why it matters:
        A key that nobody reads looks like a setting and is none: `learning_rate` where the script asks for `lr`, and
        gets its default. The config in the paper, and in this spec, then describes another training.

    Example:
        unread_config_keys: {limit: 0, with: {allow: ["logging.*"]}}

    What the number means:
        Values of the file under `config:` that your training did not ask for by name while it ran once more in a
        process of its own, as `train` starts it. `yaml` and `json` give it a dict that notes `config["key"]`, `get`,
        `pop` and `in`. A config that is taken as a whole (`f(**config)`, `items()`, a dataclass, argparse's
        `set_defaults`, OmegaConf) hides what becomes of its keys: no verdict, unless each is also asked for by name,
        or allowed. Neither is there one for keys that the training may come to after the watched steps, since its code
        holds their names. With such keys beside those that are surely unread, the number is the least.
    """
    reads = config_reads.reads
    unread, later, unknown = (_without(places, allow) for places in (reads.unread, reads.later, reads.unknown))
    if not unread and unknown:
        raise Inconclusive(f"taken as a whole, so that it is not known what is used: {listing(unknown)}")
    if not unread and later:
        raise Inconclusive(
            f"not read in {config_reads.steps} steps, and named in code that may come later: {listing(later)}"
        )
    total = sum(map(len, (reads.read, reads.unread, reads.later, reads.unknown)))
    return Observed(
        len(unread),
        {
            "unread": unread,
            "read": f"{len(reads.read)} of {total}",
            **({"taken as a whole": unknown} if unknown else {}),
            **({"may be read later": later} if later else {}),
            "steps": config_reads.steps,
        },
    )


def _without(places: Iterable[str], allow: list[str]) -> list[str]:
    return [place for place in places if not any(fnmatchcase(place, pattern) for pattern in allow)]
