"""Advice that several misses share, to be shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retspec.records import Result


def shared_advice(missed: Iterable[Result]) -> dict[str, list[Result]]:
    """Return advice to the misses that share it, in order; advice of one miss alone is left out."""
    by_text: dict[str, list[Result]] = {}
    for result in missed:
        by_text.setdefault(one_line(result.criterion.advice), []).append(result)
    return {text: results for text, results in by_text.items() if len(results) > 1}


def names_of(results: Iterable[Result]) -> str:
    """Return the criteria by name, those of a matrix with their cell: `loss_drop in 3 cells, lora_layers[r=8]`."""
    by_id: dict[str, list[Result]] = {}
    for result in results:
        by_id.setdefault(result.criterion.id, []).append(result)
    return listing([*_named(by_id)])


def _named(by_id: dict[str, list[Result]]) -> Iterator[str]:
    for name, results in by_id.items():
        cells = len(results)
        yield one_line(results[0].criterion.name) if cells == 1 else f"{one_line(name)} in {cells:,} cells"
