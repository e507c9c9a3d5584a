"""Which margins are smaller than what the same measurement varied by in earlier runs of the same subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Direction
from retspec.report.kept.history import asks_of
from retspec.text.seeds import DEVIATIONS, FEWEST, noise_in, noise_note, noise_of, within_noise
from retspec.text.wording import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Report, Result
    from retspec.report.kept.history import Run, Seen

_MOST_RUNS = 20
"""Earlier runs that are looked at."""
_MOST = 10
"""Criteria that get a line each."""


def within_noise_of(runs: Sequence[Run], now: Run, report: Report) -> Iterator[str]:
    """Yield a line for each criterion that was measured once, and whose margin is within the noise of earlier runs.

    Where the report itself says so, nothing is said again. runs: the earlier ones of the same spec, the newest last.
    Only those of the same subject on the same device count, and in them the same check with the same arguments.
    """
    alike = [run for run in runs if run.device == now.device]
    unsaid = [each for part in report.parts for each in part.results if not noise_note(each, noise_in(part))]
    found = [line for result in unsaid if (line := _line(alike, now, result))]
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield f"{len(found) - _MOST:,} more verdicts may flip"


def _line(runs: Sequence[Run], now: Run, result: Result) -> str:
    """Return that the margin of a result is within its noise; empty where it is not, or the noise is not known."""
    criterion, observed = result.criterion, result.observed
    if result.seeds is not None or observed is None or criterion.direction is Direction.EQUAL:
        return ""
    value = observed.value
    if not is_number(value) or not result.verdict.is_decided:
        return ""
    subject = now.subjects.get(criterion.cell)
    same = [run.criteria.get(criterion.name) for run in runs if subject and run.subjects.get(criterion.cell) == subject]
    asks = asks_of(criterion)
    noise, where = _noise([seen for seen in same if seen is not None and seen.asks == asks][-_MOST_RUNS:], value)
    return within_noise(result, noise, where)


def _noise(seen: Sequence[Seen], value: float) -> tuple[float, str]:
    """Return the noise of a measurement and where it is from: the last run under several seeds, or all runs."""
    for each in reversed(seen):
        if each.deviation is not None:
            return DEVIATIONS * each.deviation, f"{each.seeds} seeds of an earlier run"
    values = [float(each.observed) for each in seen if each.seeds == 1 and is_number(each.observed)] + [float(value)]
    return (noise_of(values), f"{len(values)} runs") if len(values) >= FEWEST else (0.0, "")
