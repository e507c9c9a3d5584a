"""What a proof says, in words and symbols: shared by the command and the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Tried
from retspec.text.wording import listing, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Answer, Proof, Proven, Report, Trial

MISSED, GREEN, OPEN, UNTOUCHED = "✗", "·", "?", ""
KEY = "✗ missed   ? no verdict   · still met   blank: cannot be touched"


def proven(report: Report) -> str:
    """Return what planting faults has shown of the spec, on one line; empty where it was not proven."""
    found = next((part.proof for part in report.parts if part.proof is not None), None)
    return f"retspec prove: {found.score}" if found else ""


def sentences(proof: Proof) -> Iterator[str]:
    """Yield what a proof says beside its matrix, each a text whose first line is a head."""
    if proof.unnoticed:
        yield "\n".join(["faults that no criterion notices:", *map(_unnoticed, proof.unnoticed)])
    if proof.never_fail:
        yield "\n".join(["criteria that no fault turned red:", *map(_never_fails, proof.never_fail)])
    if red := [each for each in proof.criteria if not each.can_notice]:
        said = [f"  {each.id}: {each.answer.verdict.value}" for each in red]
        yield "\n".join(["criteria that are not met without a fault, and can notice none:", *said])
    if left := [trial for trial in proof.trials if trial.tried is Tried.LEFT_OUT]:
        yield f"left out, as the time was over: {listing([trial.fault for trial in left])}"
    if unfit := [trial for trial in proof.trials if trial.tried is Tried.UNFIT]:
        reasons = {trial.reason: [each.fault for each in unfit if each.reason == trial.reason] for trial in unfit}
        said = [f"  {reason}: {listing(names)}" for reason, names in reasons.items()]
        yield "\n".join(["faults that this subject cannot have:", *said])
    if proof.flips is not None and proof.flips.criteria:
        said = [f"  {name}: {count} of {proof.flips.runs} runs" for name, count in proof.flips.criteria.items()]
        yield "\n".join(["criteria whose verdict flips although nothing changes:", *said])
    if varied := [*_varied(proof)]:
        yield "\n".join(["criteria whose value varies although nothing changes:", *varied])


def symbol(answer: Answer | None) -> str:
    """Return what came of a criterion in one character; None for one that the fault cannot touch."""
    if answer is None:
        return UNTOUCHED
    if answer.is_green:
        return GREEN
    return MISSED if answer.verdict.is_decided else OPEN


def _varied(proof: Proof) -> Iterator[str]:
    for name, seen in proof.flips.observed.items() if proof.flips else ():
        if seen.least != seen.greatest:
            least, greatest = readable(seen.least, beside=seen.greatest), readable(seen.greatest, beside=seen.least)
            yield f"  {name}: {least} … {greatest}, median {readable(seen.median)}, in {seen.runs} runs"


def _unnoticed(trial: Trial) -> str:
    advice = f" → {listing(trial.checks, ' or ')} would" if trial.checks else ""
    return f"  {trial.fault}: {trial.stands_for}{advice}"


def _never_fails(criterion: Proven) -> str:
    if criterion.would_notice is None:
        return f"  {criterion.id}: no fault made it worse"
    limit = f"{criterion.direction.value} {readable(criterion.would_notice)} {criterion.unit}".rstrip()
    seen = readable(criterion.answer.value, beside=criterion.limit)
    return f"  {criterion.id}: {limit} would have noticed one; without a fault it is {seen}"
