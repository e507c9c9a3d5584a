"""What several criteria have in common, to be shown once: a cause, a miss in several cells, advice."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from retspec.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from retspec.records import Result


def by_cause(results: Iterable[Result]) -> list[list[Result]]:
    """Group the criteria that have no verdict for the same reason; each of the others is a group by itself."""
    return _grouped(results, lambda result: result.criterion.name)


def by_sight(results: Iterable[Result]) -> list[list[Result]]:
    """Group as `by_cause` does, and a criterion of which several cells of a matrix show the same, details included."""
    return _grouped(results, _sight)


def _sight(result: Result) -> object:
    details = repr(result.observed.details) if result.observed else ""
    return result.criterion.id, result.criterion.advice, result.verdict, result.reason, details


def _grouped(results: Iterable[Result], decided: Callable[[Result], object]) -> list[list[Result]]:
    groups: dict[object, list[Result]] = {}
    for result in results:
        key = decided(result) if result.verdict.is_decided else (result.verdict, result.reason)
        groups.setdefault(key, []).append(result)
    return [*groups.values()]


def shared_advice(missed: Iterable[list[Result]]) -> dict[str, list[Result]]:
    """Return advice to the misses that share it, in order; advice of one group of misses alone is left out."""
    by_text: dict[str, list[list[Result]]] = {}
    for group in missed:
        by_text.setdefault(one_line(group[0].criterion.advice), []).append(group)
    return {text: [*chain.from_iterable(groups)] for text, groups in by_text.items() if len(groups) > 1}


def names_of(results: Iterable[Result]) -> str:
    """Return the criteria by name, those of a matrix with their cell: `loss_drop in 3 cells, lora_layers[r=8]`."""
    by_id: dict[str, list[Result]] = {}
    for result in results:
        by_id.setdefault(result.criterion.id, []).append(result)
    return ", ".join(_named(by_id))


def _named(by_id: dict[str, list[Result]]) -> Iterator[str]:
    for name, results in by_id.items():
        cells = len(results)
        yield one_line(results[0].criterion.name) if cells == 1 else f"{one_line(name)} in {cells:,} cells"
