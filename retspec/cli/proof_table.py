"""A proof for a screen: the matrix of faults and criteria, then what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.text.fitting import wrapped
from retspec.text.markdown import markdown_table
from retspec.text.proofs import KEY, sentences, symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Proof, Proven, Trial

_WIDEST = 120
"""Columns of what is no screen, such as a log."""


def lines(proof: Proof, width: int | None) -> Iterator[str]:
    """Yield the lines of a proof; width: the columns of the screen, None where there is none."""
    columns = [each for each in proof.criteria if each.can_notice]
    yield from _grid(proof.planted, columns, width or _WIDEST)
    yield wrapped(KEY, width)
    for text in sentences(proof):
        yield ""
        yield from (wrapped(one_line(line), width) for line in text.splitlines())
    yield ""
    yield wrapped(proof.score, width)


def markdown(proof: Proof) -> Iterator[str]:
    """Yield the lines of a proof as Markdown."""
    columns = [each for each in proof.criteria if each.can_notice]
    heads = ["fault", *(each.id.replace("_", "_<br>") for each in columns)]
    rows = [[trial.fault, *(symbol(trial.answers.get(each.id)) for each in columns)] for trial in proof.planted]
    yield from (f"**{proof.score}**", "", *markdown_table(heads, rows), "", KEY)
    for text in sentences(proof):
        yield ""
        yield from (f"- {line.strip()}" if line.startswith(" ") else line for line in text.splitlines())


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
            cells = "".join(f" {symbol(trial.answers.get(each.id)):>{digits}}" for each in part)
            yield f"{trial.fault:<{stub}}{cells}".rstrip()
        yield ""
