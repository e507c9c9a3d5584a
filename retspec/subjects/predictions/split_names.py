"""Rows that a column of splits would leave out unseen: of the judged split by another spelling, and of none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.data.tables.values import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def left_out(cells: Sequence[str], judged: str, file: str) -> Iterator[str]:
    """Yield a note about rows that are of no split.

    cells: the column of splits, row by row. Raises SubjectError where rows are of the judged split but for capitals or
    blanks, such as `Test` beside `test`: a number would be about some of its images, and nobody would see it.
    """
    alike = [cell for cell in cells if cell != judged and _plain(cell) == _plain(judged)]
    if alike and judged in cells:
        raise SubjectError(
            f"{file}: {len(alike):,} rows are of the split {alike[0]!r}, beside {cells.count(judged):,} of {judged!r}, "
            "the one that is judged; write both alike",
            path="predictions.split",
        )
    if blank := sum(map(is_missing, cells)):
        yield f"{file}: {blank:,} of {len(cells):,} rows are of no split, and left out."


def _plain(name: str) -> str:
    return name.strip().casefold()
