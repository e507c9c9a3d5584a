"""A proof for a screen: the matrix of faults and criteria, then what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Tried
from retspec.text.fitting import wrapped
from retspec.text.markdown import markdown_table
from retspec.text.wording import listing, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Answer, Proof, Proven, Trial

MISSED, GREEN, OPEN, UNTOUCHED = "✗", "·", "?", ""
KEY = "✗ missed   ? no verdict   · still met   blank: cannot be touched"
_WIDEST = 120
"""Columns of what is no screen, such as a log."""


def lines(proof: Proof, width: int | None) -> Iterator[str]:
    """Yield the lines of a proof; width: the columns of the screen, None where there is none."""
    columns = [each for each in proof.criteria if each.can_notice]
    yield from _grid(proof.planted, columns, width or _WIDEST)
    yield KEY
    for text in sentences(proof):
        yield ""
        yield from (wrapped(one_line(line), width) for line in text.splitlines())
    yield ""
    yield proof.score


def markdown(proof: Proof) -> Iterator[str]:
    """Yield the lines of a proof as Markdown."""
    columns = [each for each in proof.criteria if each.can_notice]
    heads = ["fault", *(each.id.replace("_", "_<br>") for each in columns)]
    rows = [[trial.fault, *(_symbol(trial.answers.get(each.id)) for each in columns)] for trial in proof.planted]
    yield from (f"**{proof.score}**", "", *markdown_table(heads, rows), "", KEY)
    for text in sentences(proof):
        yield ""
        yield from (f"- {line.strip()}" if line.startswith(" ") else line for line in text.splitlines())


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


def _grid(trials: Sequence[Trial], columns: Sequence[Proven], width: int) -> Iterator[str]:
    """Yield the matrix, the criteria numbered; as many columns of it beside each other as fit."""
    if not trials or not columns:
        return
    stub = max(len(trial.fault) for trial in trials)
    digits = len(str(len(columns)))
    room = max(1, (width - stub) // (digits + 1))
    for start in range(0, len(columns), room):
        part = columns[start : start + room]
        for number, each in enumerate(part, start + 1):
            yield f"{number:>{digits}}  {each.id}"
        yield ""
        yield " " * stub + "".join(f" {number:>{digits}}" for number, _ in enumerate(part, start + 1))
        for trial in trials:
            cells = "".join(f" {_symbol(trial.answers.get(each.id)):>{digits}}" for each in part)
            yield f"{trial.fault:<{stub}}{cells}".rstrip()
        yield ""


def _symbol(answer: Answer | None) -> str:
    if answer is None:
        return UNTOUCHED
    if answer.is_green:
        return GREEN
    return MISSED if answer.verdict.is_decided else OPEN


def _unnoticed(trial: Trial) -> str:
    advice = f" → {listing(trial.checks, ' or ')} would" if trial.checks else ""
    return f"  {trial.fault}: {trial.stands_for}{advice}"


def _never_fails(criterion: Proven) -> str:
    if criterion.would_notice is None:
        return f"  {criterion.id}: no fault made it worse"
    limit = f"{criterion.direction.value} {readable(criterion.would_notice)} {criterion.unit}".rstrip()
    seen = readable(criterion.answer.value, beside=criterion.limit)
    return f"  {criterion.id}: {limit} would have noticed one; without a fault it is {seen}"
