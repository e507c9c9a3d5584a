"""Judge recorded observations under the limits of a spec, without measuring anything.

A criterion that the results cannot answer has no verdict: a new one, one of another check or with other arguments, and
every one when the results are about another subject.
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

    from retspec.records import Criterion, Plan, Report, Result, SeedResult


def judge_again(plans: Sequence[Plan], recorded: Report, *, strict: bool = False, today: date | None = None) -> Report:
    """Return a recorded report judged under the limits of a spec, cell by cell if the spec has a matrix.

    plans: one for the spec, or one for each of its cells.
    today: the day (UTC) on which waivers must still be valid; the current day by default.
    Everything else in the report stays as recorded, including the faults and the interruption of that run.
    """
    known = {part.cell: part for part in recorded.parts}
    found = [_judged(plan, known.get(plan.spec.cell), recorded, today or utc_today()) for plan in plans]
    parts = tuple(replace(part, strict=strict) for part in found)
    return composed(parts, seconds=recorded.seconds)


def _judged(plan: Plan, part: Report | None, recorded: Report, today: date) -> Report:
    """Return the part for the plan's cell, judged; no criterion has a verdict when the results lack that cell."""
    spec = plan.spec
    if part is None:
        missing = "the results do not hold this cell" if spec.cell else "the results are about the cells of a matrix"
        part = replace(recorded, cells=(), results=(), measurements=())
        results = [not_run(step.criterion, missing) for step in plan.checks]
    else:
        answers = Answers(plan, part)
        results = [answers.judged(step.criterion, today) for step in plan.checks]
    ordered = in_order(plan, results)
    report = replace(
        part,
        cell=spec.cell,
        name=titled(spec),
        file=spec.file,
        description=spec.description,
        results=ordered,
        unselected=len(spec.criteria) - len(ordered),
        unselected_cells=spec.unselected_cells,
        notes=tuple(dict.fromkeys((*part.notes, *(doubt.message for doubt in spec.doubts)))),
        provenance=replace(part.provenance, spec_sha256=spec.sha256),
    )
    return Mask(spec.secrets).report(report)


class Answers:
    """What was recorded for one spec, as answers to the criteria of a plan."""

    def __init__(self, plan: Plan, recorded: Report) -> None:
        self._mask = Mask(plan.spec.secrets)
        self._recorded = {result.criterion.id: result for result in recorded.results}
        self._other_subject = _other_subject(plan, recorded)
        self._seeds = plan.spec.run.seed_count
        self._varying = {step.criterion.id for step in plan.checks if step.varies}

    def judged(self, criterion: Criterion, today: date) -> Result:
        """Return what was recorded for a criterion, judged; not run if nothing answers it."""
        objection = self.objection(criterion)
        return not_run(criterion, objection) if objection else judge(criterion, self.outcome(criterion), today=today)

    def outcome(self, criterion: Criterion) -> Outcome:
        """Return what was recorded for a criterion."""
        return outcome_of(self._recorded[criterion.id])

    def objection(self, criterion: Criterion) -> str:
        """Return why nothing that was recorded answers a criterion; empty if something does."""
        found = self._recorded.get(criterion.id)
        if self._other_subject:
            return f"the results are about another subject: {self._other_subject}"
        if found is None:
            return "the results do not hold this criterion"
        return "; ".join(self._objections(criterion, found))

    def _objections(self, criterion: Criterion, found: Result) -> Iterator[str]:
        """Yield the reasons why a recorded observation does not answer the criterion."""
        was = found.criterion
        if found.verdict is Verdict.SKIPPED:
            yield "it was skipped when the results were recorded"
        elif (was.check, was.direction, was.unit) != (criterion.check, criterion.direction, criterion.unit):
            asked = (f"{each.check}, {each.direction.value}, in {each.unit or 'no unit'}" for each in (criterion, was))
            yield "it is now {}; recorded was {}".format(*asked)
        elif changed := other_arguments(criterion, was, self._mask):
            yield f"its arguments differ from the recorded ones: {changed}"
        elif (seeds := len(found.seeds.each) if found.seeds else 1) < self._seeds and criterion.id in self._varying:
            yield f"it was measured under {seeds} of the {self._seeds} seeds that the spec asks for"


def day_of(recorded: Report) -> date:
    """Return the day (UTC) on which a run began, which decided whether its waivers were valid."""
    return date.fromisoformat(recorded.started[:10])


def outcome_of(result: Result) -> Outcome:
    """Return the outcome behind a result. Without a verdict then, it has none under any limit.

    Except where an interval was too wide for the limit: under another one, or by its point, it may have a verdict.
    """
    if result.seeds is not None:
        by_seed = {each.seed: _outcome(result.criterion.id, each) for each in result.seeds.each}
        return Outcome(id=result.criterion.id, seconds=result.seconds, output=result.output, by_seed=by_seed)
    return replace(_outcome(result.criterion.id, result), seconds=result.seconds, output=result.output)


def _outcome(name: str, found: Result | SeedResult) -> Outcome:
    is_wide = found.verdict is Verdict.INCONCLUSIVE and found.observed is not None and found.observed.interval
    return Outcome(
        id=name,
        observed=found.observed,
        failure=None if found.verdict.is_decided or is_wide else found.verdict,
        reason=found.reason,
        trace=found.trace,
    )


def other_arguments(criterion: Criterion, recorded: Criterion, mask: Mask) -> str:
    """Return the names of the arguments in which two criteria differ as text, or an empty string."""
    asked, was = plain(mask.given(criterion.arguments)), plain(recorded.arguments)
    return listing([name for name in sorted({*asked, *was}) if asked.get(name) != was.get(name)])


def _other_subject(plan: Plan, recorded: Report) -> str:
    if not recorded.provenance.subject:
        return "they do not say about which"
    return other_subject(recorded.provenance.subject, subject_of(plan.spec))
