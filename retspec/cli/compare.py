"""`retspec compare`: two results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retspec.cli.options import examples, verbose_option
from retspec.cli.tables import NOTHING, Columns, format_option, show_json, show_rows, shown
from retspec.results.comparing import Trend
from retspec.results.results_file import read_report
from retspec.review.recorded import circumstances, compare
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.review.recorded import Comparison, Side

CHANGES = "→"


def _differs(cells: Sequence[str]) -> bool:
    """Whether a criterion is better or worse, or has another verdict."""
    return cells[4] != Trend.SAME.value or CHANGES in cells[7]


COLUMNS = Columns(
    ("criterion", "old", "new", "change", "trend", "old margin", "new margin", "verdict"),
    left_out=(5, 6, 3, 1, 2, 4),
    wraps={3: 12, 4: 8, 7: 9},
    needs_all=_differs,
)
CIRCUMSTANCES = Columns(("what else differs", "old", "new"), wraps={1: 12, 2: 12})


@click.command("compare", epilog=examples("retspec compare before/results.json after/results.json --format markdown"))
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@format_option
@verbose_option
def command(old: Path, new: Path, form: str) -> None:
    """Compare two results criterion by criterion.

    OLD and NEW are results.json files. Shows observed values, margins and verdicts, the difference in percent, and
    whether it is better or worse by the direction of the check; then what else differs: the subject, the device, the
    versions. Exits 0 whatever it finds: vs in a spec holds a criterion to a baseline.
    """
    before, after = read_report(old), read_report(new)
    found, others = compare(before, after), [*circumstances(before, after)]
    if form == "json":
        names = ("path", "old", "new")
        show_json({"criteria": found, "circumstances": [dict(zip(names, each, strict=True)) for each in others]})
        return
    show_rows(COLUMNS, [*map(row, found)], form)
    if others:
        click.echo()
        show_rows(CIRCUMSTANCES, [(path, shown(a), shown(b)) for path, a, b in others], form)


def row(comparison: Comparison) -> tuple[str, ...]:
    """Return the cells of one criterion, under the headers of `COLUMNS`."""
    old, new = comparison.old, comparison.new
    return (
        comparison.id,
        _value(old),
        _value(new),
        _change(comparison),
        comparison.trend.value,
        _margin(old),
        _margin(new),
        _verdict(old, new),
    )


def _value(side: Side | None) -> str:
    return NOTHING if side is None or side.value is None else readable(side.value, beside=side.limit)


def _margin(side: Side | None) -> str:
    return NOTHING if side is None or side.margin is None else readable(side.margin)


def _change(comparison: Comparison) -> str:
    if comparison.change is None:
        return NOTHING
    text = f"{'+' if comparison.change > 0 else ''}{readable(comparison.change)}"
    return text if comparison.percent is None else f"{text} ({comparison.percent:+.1f}%)"


def _verdict(old: Side | None, new: Side | None) -> str:
    before, after = (side.verdict.value if side else NOTHING for side in (old, new))
    return before if before == after else f"{before} {CHANGES} {after}"
