"""How far a matrix is, in a log: a line for each quarter of its cells, not one for each verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Verdict

if TYPE_CHECKING:
    from retspec.records import Report, Result

PARTS = 4


class Quarters:
    """Counts the cells of a report that are done."""

    def __init__(self, report: Report) -> None:
        self._name = one_line(report.name)
        self._left = {
            part.name: sum(result.verdict is not Verdict.SKIPPED for result in part.results) for part in report.parts
        }
        self._counts: Counter[Verdict] = Counter()
        self._said = 0

    def line_after(self, result: Result, name: str) -> str:
        """Count a verdict in the cell of that name; return a line if it ends a quarter of the cells, or nothing."""
        self._counts[result.verdict] += 1
        self._left[name] -= 1
        done, total = sum(left <= 0 for left in self._left.values()), len(self._left)
        quarter = done * PARTS // total
        if quarter <= self._said or self._left[name] > 0:
            return ""
        self._said = quarter
        counts = ", ".join(f"{self._counts[verdict]:,} {verdict}" for verdict in Verdict if self._counts[verdict])
        return f"{self._name}: {done:,} of {total:,} cells, {counts}"
