"""Make a baseline from results: approved values that later runs are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.errors import UsageError
from retspec.judge import judge
from retspec.records import EXIT_MET, Baseline, Blessed, Direction
from retspec.review.recorded.judging import day_of, outcome_of
from retspec.text.wording import is_number, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Blessing, Report, Result


def bless(report: Report, blessing: Blessing) -> Baseline:
    """Return a baseline with every observed number of a report that can be better or worse.

    Raises UsageError for a report that is not green, has several cells, has no such number, or does not say what its
    subject is.
    """
    if len(report.parts) > 1:
        cells = listing([part.cell for part in report.parts])
        raise UsageError(f"these results have several cells, and a baseline is about one; run one with --cell: {cells}")
    (report,) = report.parts
    _require_green(report)
    values = {result.criterion.id: _blessed(result, value) for result, value in _numbers(report)}
    if not values:
        raise UsageError("there is nothing to bless: no criterion of these results was compared with a bound")
    provenance = report.provenance
    if not provenance.subject_sha256:
        raise UsageError("these results do not say what they are about; run the spec again with this retspec")
    return Baseline(
        blessed=blessing,
        subject=provenance.subject,
        subject_sha256=provenance.subject_sha256,
        checkpoint_sha256=provenance.checkpoint_sha256,
        values=values,
    )


def _require_green(report: Report) -> None:
    if report.exit_code != EXIT_MET:
        raise UsageError(
            f"these results are not green: their exit code is {report.exit_code}; only exit code 0 can be blessed"
        )
    for result in report.results:
        again = judge(result.criterion, outcome_of(result), today=day_of(report)).verdict
        if result.observed and again is not result.verdict:
            name, was = one_line(result.criterion.id), result.verdict.value
            raise UsageError(f"{name} is recorded as {was}, but its observation makes it {again.value}")


def _numbers(report: Report) -> Iterator[tuple[Result, int | float]]:
    for result in report.results:
        if result.observed and is_number(result.observed.value) and result.criterion.direction is not Direction.EQUAL:
            value = result.criterion.judged(result.observed)
            assert is_number(value)  # noqa: S101 - the ends of the interval of a number are numbers
            yield result, value


def _blessed(result: Result, value: float) -> Blessed:
    criterion = result.criterion
    return Blessed(check=criterion.check, value=value, unit=criterion.unit, arguments=criterion.arguments)
