"""A criterion on the page: its texts, its bullet, what it was measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from retspec.characters import one_line, revealed
from retspec.records import Direction, Result, Verdict
from retspec.report.formats.table import JUDGED_BAD
from retspec.report.page.marks import bullet
from retspec.report.page.strip import strip_of
from retspec.text.seeds import noise_note, seen_under
from retspec.text.wording import (
    MOST_DETAILS,
    bounded,
    duration,
    ends,
    is_number,
    margin,
    observation,
    readable,
    required,
    waived,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from retspec.records import Spread
    from retspec.report.page.figures import Figure

_NO_JSON = ("nan", "inf", "-inf")
_FOLDED = frozenset({Verdict.MET, Verdict.SKIPPED})
_LARGEST = 1e300
"""A number from here on is not drawn: its square, or its distance to another one, may be infinite."""
MOST_ENTRIES = 200
"""Entries of a detail that are listed; the embedded results hold all."""
_SHORTEST_LIST = 8
"""Entries of a detail that are listed in the open."""


@dataclass(frozen=True)
class Placed:
    """A figure, and its address on the page."""

    figure: Figure
    anchor: str
    measurement: str


@dataclass(frozen=True)
class Detail:
    """A detail of an observation: a text, or a list of details."""

    name: str
    text: str = ""
    entries: tuple[Detail, ...] = ()
    left_out: int = 0

    @property
    def is_long(self) -> bool:
        """Whether its entries are folded."""
        return len(self.entries) > _SHORTEST_LIST


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One criterion, ready to be shown."""

    result: Result
    anchor: str
    place: str
    measured_on: tuple[str, ...]
    figures: tuple[Placed, ...] = ()
    """Shown here."""
    links: tuple[Placed, ...] = ()
    """Shown elsewhere."""
    before: Result | None = None
    """The same criterion in the results that these are compared with."""
    is_repeated: bool = False
    """Whether anything in the run was measured under several seeds."""
    known: Mapping[str, Spread] = field(default_factory=dict)
    """What is known of the noise of each criterion."""

    @property
    def kind(self) -> str:
        """The class of its verdict: one of six shapes."""
        return kind_of(self.result.verdict)

    @property
    def is_folded(self) -> bool:
        """Whether there is nothing to do about it."""
        return self.result.verdict in _FOLDED and not (self.unneeded_waiver or self.noise)

    @property
    def unneeded_waiver(self) -> bool:
        """Whether it is met, and still has a waiver that no other cell can need."""
        criterion = self.result.criterion
        return self.result.verdict is Verdict.MET and criterion.waive is not None and not criterion.cell

    @property
    def seeds(self) -> str:
        """The values in a run under several seeds; empty in one under one."""
        return flat(seen_under(self.result)) if self.is_repeated else ""

    @cached_property
    def strip(self) -> Placed | None:
        """The values under several seeds as a drawing; None where they are no numbers that differ."""
        figure = strip_of(self.result)
        return None if figure is None else Placed(figure, anchor_of(f"figure.{self.result.criterion.name}.seeds"), "")

    @property
    def noise(self) -> str:
        """Why the verdict may flip; empty where it may not, as far as the seeds tell."""
        return flat(noise_note(self.result, self.known))

    @property
    def observed(self) -> str:
        """The observed value with its unit."""
        return value_of(self.result)

    @property
    def limit(self) -> str:
        """The limit in words."""
        return flat(required(self.result.criterion))

    @property
    def bound(self) -> str:
        """The limit in words, without the unit if the value beside it has one."""
        unit = "" if self.result.observed else self.result.criterion.unit
        return flat(required(replace(self.result.criterion, unit=unit)))

    @property
    def margin(self) -> str:
        """How far the value is inside its limit, with a sign."""
        criterion, observed = self.result.criterion, self.result.observed
        room = margin(criterion, criterion.judged(observed)) if observed else None
        return "" if room is None else f"{'+' if room > 0 else ''}{readable(room)}".replace("-", "\N{MINUS SIGN}", 1)

    @property
    def reason(self) -> str:
        """Why the verdict is what it is."""
        return flat(self.result.reason)

    @property
    def advice(self) -> str:
        """What to do; empty where there is nothing to do."""
        return flat(self.result.criterion.advice) if self.result.verdict in JUDGED_BAD else ""

    @property
    def waiver(self) -> str:
        """Why and until when a miss is accepted."""
        return waived(self.result.criterion.waive) if self.result.criterion.waive else ""

    @property
    def seconds(self) -> str:
        """How long it took."""
        return duration(self.result.seconds)

    @property
    def arguments(self) -> tuple[Detail, ...]:
        """Its arguments."""
        return details_of(self.result.criterion.arguments)

    @property
    def details(self) -> tuple[Detail, ...]:
        """The details of its observation."""
        return details_of(self.result.observed.details) if self.result.observed else ()

    @property
    def bullet(self) -> Markup | str:
        """The value against its limit as a drawing; empty where both are no numbers with a direction."""
        criterion, observed = self.result.criterion, self.result.observed
        if observed is None or criterion.direction is Direction.EQUAL:
            return ""
        value, limit = _drawn(criterion.judged(observed)), _drawn(criterion.limit)
        if value is None or limit is None:
            return ""
        earlier = self.before.observed if self.before else None
        return bullet(
            f"{observation(criterion, observed)}, required {required(criterion)}",
            value,
            limit,
            most=criterion.direction is Direction.AT_MOST,
            warn=_drawn(criterion.warn),
            before=_drawn(criterion.judged(earlier)) if earlier else None,
        )


def flat(text: str) -> str:
    """Return a text on one line, with its bidirectional controls spelled out."""
    return one_line(revealed(text))


def kind_of(verdict: Verdict) -> str:
    """Return the class of a verdict: met, missed, warned, waived, skipped, or `undecided` for no verdict."""
    return verdict.value if verdict.is_decided else "undecided"


def value_of(result: Result | None) -> str:
    """Return the observed value with its unit; a dash without one."""
    if result is None or result.observed is None:
        return "—"
    value, limit = result.observed.value, result.criterion.limit
    # Results in a file have a word for a float that JSON lacks.
    text = value if value in _NO_JSON and not isinstance(limit, str) else readable(value, beside=limit)
    return flat(f"{text} {result.criterion.unit}{ends(result.observed)}")


def anchor_of(name: str) -> str:
    """Return the address of a criterion on the page: its name, without white space."""
    return "-".join(one_line(name).split())


def link_to(anchor: str) -> str:
    """Return a link to a place on the page."""
    return f"#{quote(anchor, safe='._~-')}"


def place_of(result: Result) -> str:
    """Return where a criterion is in its spec."""
    mark = result.criterion.mark
    return mark.in_line(flat(mark.file))


def details_of(details: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Return the first details as texts and lists."""
    shown = tuple(_detail(str(name), value, 0) for name, value in islice(details.items(), MOST_DETAILS))
    left_out = len(details) - len(shown)
    return (*shown, Detail("and", f"{left_out:,} more details")) if left_out else shown


def _detail(name: str, value: Any, level: int) -> Detail:
    name = bounded(name)
    if isinstance(value, str):
        return Detail(name, flat(bounded(value)))
    if not isinstance(value, Mapping | list | tuple) or level > 4:  # noqa: PLR2004 - nobody reads deeper
        return Detail(name, bounded(_word(value)))
    entries = [*_entries(value)]
    if not entries:
        return Detail(name, "none")
    if len(entries) <= _SHORTEST_LIST and all(not isinstance(entry, Mapping | list | tuple) for _, entry in entries):
        return Detail(name, ", ".join(_flat(key, entry) for key, entry in entries))
    shown = tuple(_detail(key, entry, level + 1) for key, entry in entries[:MOST_ENTRIES])
    return Detail(name, entries=shown, left_out=max(len(entries) - MOST_ENTRIES, 0))


def _word(value: object) -> str:
    """Return a value as it is written, and the word for one that is not given."""
    return "none" if value is None else readable(value)


def _entries(value: Mapping[Any, Any] | Sequence[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(name), entry) for name, entry in value.items())
    else:
        yield from (("", entry) for entry in value)


def _flat(name: str, value: Any) -> str:
    text = flat(bounded(value)) if isinstance(value, str) else _word(value)
    return f"{flat(bounded(name))} {text}".strip()


def _drawn(value: object) -> float | None:
    """Return a value as a number that can be drawn; None for anything else."""
    if not is_number(value) or not -_LARGEST < value < _LARGEST:
        return None
    return float(value)
