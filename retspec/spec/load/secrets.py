"""Which values of a spec are secrets: those of `run.mask`, and environment variables that are called like one."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CALLED_SECRET = re.compile(r"TOKEN(?![A-Z])|SECRET|PASSWORD|PASSWD|_KEY$", re.IGNORECASE)
"""`HF_TOKEN` and `WANDB_API_KEY`, but neither `MAX_TOKENS` nor `TOKENIZERS_PARALLELISM`."""
_GLOB = re.compile(r"[*?\[]")


def find_secrets(
    data: Mapping[str, Any], patterns: Iterable[str], named: Iterable[str], environment: Mapping[str, str]
) -> frozenset[str]:
    """Return the texts that must not appear in reports or messages.

    data: the resolved spec, `vars` included.
    patterns: the entries of `run.mask`: names of environment variables or dotted places, `*` matches anything.
    named: the environment variables that the spec refers to.
    """
    patterns = tuple(patterns)
    secret_names = {name for name in named if _CALLED_SECRET.search(name)}
    secret_names |= {name for name in environment if _matches(name, patterns)}
    texts = {environment.get(name, "") for name in secret_names}
    if patterns:
        texts |= {text for places, text in _leaves(data) if any(_matches(place, patterns) for place in places)}
    return frozenset(texts - {""})


def objection(pattern: str, data: Mapping[str, Any]) -> str:
    """Return why an entry of `run.mask` cannot do what it says: a place must be there; or an empty string."""
    if "." not in pattern or _GLOB.search(pattern):
        return ""
    places = {place for above, _ in _leaves(data) for place in above}
    if pattern in places:
        return ""
    return f"run.mask: there is no {quoted(pattern)} in the spec{did_you_mean(pattern, places)}"


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _leaves(value: Any, places: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every single value as text, with its dotted place and those above it."""
    if not isinstance(value, dict | list):
        yield places, "" if value is None else str(value)
        return
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        above = f"{places[-1]}." if places else ""
        yield from _leaves(entry, (*places, f"{above}{key}"))
