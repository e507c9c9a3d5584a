"""Whether a page is quick to write: one that nobody asked for takes no more than 0.2 s of a run."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report

PAGE = "html"
"""The format that takes long."""
BAR = 0.2
"""Seconds of CPU time that the page may take, the first of a process."""
_MOST = 12_500
"""Values on a page that takes as long; counted, so that the same results have a page on every machine, or on none."""
_OF_A_VERDICT = 40
"""Values that take as long as a verdict without its details: its limit, its place, its advice and their layout."""
_OF_A_STRIP, _OF_A_SEED = 70, 8
"""The same of the drawing of several seeds, and of each of them."""


def is_quick(report: Report) -> bool:
    """Whether the page of a report takes no longer than the bar, by the number of its values."""
    return next(islice(_values(report), _MOST, None), None) is None


def _values(report: Report) -> Iterator[object]:
    for result in report.every_result:
        yield from range(_OF_A_VERDICT)
        if result.observed:
            yield from _leaves(result.observed.details)
        if result.seeds:
            yield from range(_OF_A_STRIP + _OF_A_SEED * len(result.seeds.each))
            yield from (leaf for each in result.seeds.each if each.observed for leaf in _leaves(each.observed.details))
    for part in report.parts:
        for measured in part.measurements:
            yield from _leaves(measured.facts)


def _leaves(value: Any) -> Iterator[object]:
    """Yield the values in plain data."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        yield True
        return
    for entry in value:
        yield from _leaves(entry)
