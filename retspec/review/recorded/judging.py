"""Recorded observations under the limits of a spec: the same judge, without measuring anything.

What the spec asks for and the results do not hold has no verdict: a criterion that is new, one of another check or with
other arguments, and all of them when the results are about another subject.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from retspec.judge import judge, not_run, utc_today
from retspec.records import Outcome, Verdict, plain
from retspec.report.live import composed, in_order, titled
from retspec.results.provenance import other_subject, subject_of
from retspec.text.masking import Mask
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Criterion, Plan, Report, Result


def judge_again(plans: Sequence[Plan], recorded: Report, *, strict: bool = False, today: date | None = None) -> Report:
    """Return a recorded report judged under the limits of a spec, cell by cell where it has a matrix.

    plans: of the spec, or of each cell.
    What was measured, when and on what is taken over, the faults and the interruption of that run included.
    today: the day (UTC) that waivers are held against; the real one unless it is given.
    """
    known = {part.cell: part for part in recorded.parts}
    found = [_judged(plan, known.get(plan.spec.cell), recorded, today or utc_today()) for plan in plans]
    parts = tuple(replace(part, strict=strict) for part in found)
    return composed(parts, seconds=recorded.seconds)


def _judged(plan: Plan, part: Report | None, recorded: Report, today: date) -> Report:
    """Judge the part that is about the plan's cell; where the results hold none, nothing has a verdict."""
    spec = plan.spec
    if part is None:
        missing = "the results do not hold this cell" if spec.cell else "the results are about the cells of a matrix"
        part = replace(recorded, cells=(), results=(), measurements=())
        results = [not_run(step.criterion, missing) for step in plan.checks]
    else:
        judging = _Judging(plan, part, today)
        results = [judging.result(step.criterion) for step in plan.checks]
    report = replace(
        part,
        cell=spec.cell,
        name=titled(spec),
        file=spec.file,
        description=spec.description,
        results=in_order(plan, results),
        provenance=replace(part.provenance, spec_sha256=spec.sha256),
    )
    return Mask(spec.secrets).report(report)


class _Judging:
    """One spec, and what was recorded for it."""

    def __init__(self, plan: Plan, recorded: Report, today: date) -> None:
        self._today = today
        self._mask = Mask(plan.spec.secrets)
        self._recorded = {result.criterion.id: result for result in recorded.results}
        self._other_subject = _other_subject(plan, recorded)

    def result(self, criterion: Criterion) -> Result:
        found = self._recorded.get(criterion.id)
        if self._other_subject:
            return not_run(criterion, f"the results are about another subject: {self._other_subject}")
        if found is None:
            return not_run(criterion, "the results do not hold this criterion")
        if objection := "; ".join(self._objections(criterion, found)):
            return not_run(criterion, objection)
        return judge(criterion, outcome_of(found), today=self._today)

    def _objections(self, criterion: Criterion, found: Result) -> Iterator[str]:
        """Yield why a recorded observation does not answer what the criterion asks."""
        was = found.criterion
        if found.verdict is Verdict.SKIPPED:
            yield "it was skipped when the results were recorded"
        elif (was.check, was.direction, was.unit) != (criterion.check, criterion.direction, criterion.unit):
            asked = (f"{each.check}, {each.direction.value}, in {each.unit or 'no unit'}" for each in (criterion, was))
            yield "it is now {}; recorded was {}".format(*asked)
        elif changed := other_arguments(criterion, was, self._mask):
            yield f"its arguments differ from the recorded ones: {changed}"


def day_of(recorded: Report) -> date:
    """Return the day (UTC) on which a run began: the one that its waivers were held against."""
    return date.fromisoformat(recorded.started[:10])


def outcome_of(result: Result) -> Outcome:
    """Return what measuring came to, from what was made of it; what had no verdict has none under any limit."""
    return Outcome(
        id=result.criterion.id,
        observed=result.observed,
        failure=None if result.verdict.is_decided else result.verdict,
        reason=result.reason,
        trace=result.trace,
        seconds=result.seconds,
        output=result.output,
    )


def other_arguments(criterion: Criterion, recorded: Criterion, mask: Mask) -> str:
    """Return in words which arguments of two criteria differ, or an empty string."""
    asked, was = plain(mask.given(criterion.arguments)), plain(recorded.arguments)
    return listing([name for name in sorted({*asked, *was}) if asked.get(name) != was.get(name)])


def _other_subject(plan: Plan, recorded: Report) -> str:
    if not recorded.provenance.subject:
        return "they do not say about which"
    return other_subject(recorded.provenance.subject, subject_of(plan.spec))
