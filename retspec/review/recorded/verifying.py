"""Verify results: they are about this spec and this file, and their verdicts follow from their observations.

This finds files that were mixed up and numbers that were edited. It cannot find invented observations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.errors import SubjectError, UsageError
from retspec.regular_files import sha256_of
from retspec.results.provenance import subject_of, subject_sha256
from retspec.review.recorded.files import Statement, agreement, of_config, of_predictions, of_weights
from retspec.review.recorded.judging import day_of, judge_again
from retspec.subjects.checkpoints import chosen
from retspec.text.wording import summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from retspec.records import Plan, Report


def verify(recorded: Report, plans: Sequence[Plan], checkpoint: Path | None = None) -> list[Statement]:
    """Return statements about recorded results under a spec; the results are valid when every statement holds.

    plans: one for the spec, or one for each cell of its matrix.
    checkpoint: the file that the results should be about.
    Raises UsageError for a checkpoint that cannot be read.
    """
    known = {part.cell: part for part in recorded.parts}
    strange = sorted(known.keys() - {plan.spec.cell for plan in plans})
    statements = [Statement(holds=False, text=f"{cell or 'no cell'}: the spec has no such cell") for cell in strange]
    for plan in plans:
        part, where = known.get(plan.spec.cell), f"{plan.spec.cell}: " if plan.spec.cell else ""
        if part is None:
            statements.append(Statement(holds=False, text=f"{plan.spec.cell or 'no cell'}: the results do not hold it"))
        else:
            found = _of_part(part, plan, checkpoint)
            statements += [replace(statement, text=f"{where}{statement.text}") for statement in found]
    return statements


def _of_part(recorded: Report, plan: Plan, checkpoint: Path | None) -> list[Statement]:
    provenance = recorded.provenance
    statements = [agreement("spec", provenance.spec_sha256, plan.spec.sha256), _subject(recorded, plan)]
    if checkpoint is not None:
        statements.append(agreement("checkpoint", provenance.checkpoint_sha256, _file_sha256(checkpoint)))
    statements += of_weights(recorded, plan, without="" if checkpoint is None else "checkpoint")
    statements += [*of_config(recorded, plan), *of_predictions(recorded, plan)]
    wrong = [Statement(holds=False, text=one_line(text)) for text in _contradictions(recorded, plan)]
    total = len(recorded.results)
    follows = Statement(holds=True, text=f"verdicts: all {total} follow from what is recorded; {summary(recorded)}")
    return [*statements, *(wrong or [follows])]


def _subject(recorded: Report, plan: Plan) -> Statement:
    stated = recorded.provenance.subject_sha256
    if stated and stated != subject_sha256(recorded.provenance.subject):
        return Statement(holds=False, text="subject: the SHA-256 is not that of the subject recorded beside it")
    return agreement("subject", stated, subject_sha256(subject_of(plan.spec)))


def _contradictions(recorded: Report, plan: Plan) -> Iterator[str]:
    """Yield each criterion whose recorded verdict is not the one that its observation gets under the spec."""
    found = {result.criterion.id: result for result in recorded.results}
    again = {
        result.criterion.id: result for result in judge_again([plan], recorded, today=day_of(recorded)).every_result
    }
    for name, result in again.items():
        if name not in found:
            yield f"{name}: the spec asks for it, and the results do not hold it"
        elif found[name].verdict is not result.verdict:
            yield f"{name}: recorded as {found[name].verdict.value}, but it is {result.verdict.value}: {result.reason}"
    for name in found.keys() - again.keys():
        yield f"{name}: the results hold it, and the spec does not ask for it"


def _file_sha256(path: Path) -> str:
    if path.name.endswith(".index.json"):
        try:
            return chosen(path.name, path.absolute().parent).sha256()
        except SubjectError as error:
            raise UsageError(str(error)) from None
    try:
        return sha256_of(path)
    except (OSError, ValueError) as error:  # a ValueError means a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{str(path)!r} cannot be read: {reason}") from None
