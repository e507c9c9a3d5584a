"""Compare two results: what became better and what became worse, by the direction of each check."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from retspec.records import Direction, Value, Verdict, plain
from retspec.results.provenance import differences
from retspec.text.wording import is_number, margin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report, Result
    from retspec.results.provenance import Difference


class Trend(StrEnum):
    """How a new observation compares with an old one."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    CHANGED = "changed"
    """A different exact value: neither is better."""
    ADDED = "added"
    REMOVED = "removed"
    INCOMPARABLE = "not comparable"
    """Different checks or arguments, or not observed on both sides."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One criterion in one of the two results."""

    verdict: Verdict
    value: Value | None
    limit: Value | None
    margin: float | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One criterion in both results."""

    id: str
    unit: str
    trend: Trend
    old: Side | None
    new: Side | None
    change: float | None
    """New minus old, in the unit of the check; None for exact values."""
    percent: float | None
    """The change in percent of the old value's size; None when that is zero."""


_SETUP = (
    *("checkpoint_sha256", "predictions_sha256", "device", "dtype", "threads"),
    *("platform", "git_commit", "versions", "plugins"),
)
"""What of the provenance decides whether two results are about the same."""


def compare(old: Report, new: Report) -> list[Comparison]:
    """Return a comparison for every criterion: in the order of the new report, then those that only the old one has."""
    before, after = ({result.criterion.name: result for result in report.every_result} for report in (old, new))
    return [_compared(name, before.get(name), after.get(name)) for name in {**after, **before}]


def circumstances(old: Report, new: Report) -> Iterator[Difference]:
    """Yield what else differs between two reports, cell by cell: the subject, and the setup that measured it."""
    known = {part.cell: part for part in old.parts}
    for part in new.parts:
        if part.cell in known:
            found = _circumstances(known[part.cell], part)
            yield from ((f"[{part.cell}] {path}" if part.cell else path, was, now) for path, was, now in found)


def _circumstances(old: Report, new: Report) -> Iterator[Difference]:
    yield from differences(plain(old.provenance.subject), plain(new.provenance.subject))
    for name in _SETUP:
        before, after = (plain(getattr(report.provenance, name)) for report in (old, new))
        yield from differences(before, after, name)


def _compared(name: str, old: Result | None, new: Result | None) -> Comparison:
    present = new or old
    assert present is not None  # noqa: S101 - the name comes from one of the two
    change = _change(old, new)
    return Comparison(
        id=name,
        unit=present.criterion.unit,
        trend=_trend(old, new),
        old=_side(old),
        new=_side(new),
        change=change,
        percent=_percent(old, change),
    )


def _side(result: Result | None) -> Side | None:
    if result is None:
        return None
    criterion, observed = result.criterion, result.observed
    return Side(
        verdict=result.verdict,
        value=observed.value if observed else None,
        limit=criterion.limit,
        margin=margin(criterion, criterion.judged(observed) if observed else None),
    )


def _trend(old: Result | None, new: Result | None) -> Trend:
    if old is None or new is None:
        return Trend.ADDED if old is None else Trend.REMOVED
    before, after = _settled(old), _settled(new)
    alike = _is_undecided_alike(old, new)
    if not _ask_the_same(old, new) or ((before is None or after is None) and not alike):
        return Trend.INCOMPARABLE
    if before == after:  # both are None where nothing was decided
        return Trend.SAME
    change = _change(old, new)
    if change is None or new.criterion.direction is Direction.EQUAL:
        return Trend.CHANGED
    return Trend.BETTER if (change < 0) == (new.criterion.direction is Direction.AT_MOST) else Trend.WORSE


def _is_undecided_alike(old: Result, new: Result) -> bool:
    """Whether both observed the same, and neither could decide by it."""
    return (
        old.observed is not None
        and new.observed is not None
        and old.verdict is new.verdict is Verdict.INCONCLUSIVE
        and old.observed.value == new.observed.value
    )


def _settled(result: Result) -> Value | None:
    """Return the observed value if it has a verdict, or only an interval too wide for its limit, else None."""
    observed = result.observed
    is_wide = result.verdict is Verdict.INCONCLUSIVE and observed is not None and observed.interval is not None
    return observed.value if observed is not None and (result.verdict.is_decided or is_wide) else None


def _ask_the_same(old: Result, new: Result) -> bool:
    first, second = (
        (each.check, each.direction, each.unit, plain(each.arguments)) for each in (old.criterion, new.criterion)
    )
    return first == second


def _change(old: Result | None, new: Result | None) -> float | None:
    if old is None or new is None or not _ask_the_same(old, new):
        return None
    before, after = _settled(old), _settled(new)
    if not (is_number(before) and is_number(after)):
        return None
    try:
        change = after - before
    except OverflowError:  # an integer too large for a float, minus a float
        return None
    return change if math.isfinite(change) else None


def _percent(old: Result | None, change: float | None) -> float | None:
    before = _settled(old) if old else None
    if change is None or not is_number(before) or before == 0:
        return None
    percent = 100 * (change / abs(before))
    return percent if math.isfinite(percent) else None
