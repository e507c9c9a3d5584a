"""What the page about the terminal shows: made by the code that prints it, from a report that is written down here."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.cli.compare import COLUMNS, row
from retspec.cli.live_line import fitted
from retspec.cli.plan import shown_plan
from retspec.cli.progress import LiveProgress, PlainProgress
from retspec.cli.tables import table_of
from retspec.prepare import prepare_cells
from retspec.records import Direction, Measured, Result, Verdict
from retspec.report.formats.table import Top, render_table
from retspec.results.comparing import compare
from tests.report.formats.sample import criterion, failed, judged, report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import StringIO

    from retspec.records import Plan, Report

TERMINAL = "docs/terminal.md"
SWEEP = Path(__file__).resolve().parents[2] / "specs" / "rank_sweep.yaml"
WIDTHS = (80, 60, 40)
_FRAME = "⠹ "
_BLOCK = re.compile(r"(<!-- capture: (?P<name>\w+)(?: (?P<width>\d+))? -->\n\n```text\n).*?(```)", re.DOTALL)
_ADVICE = "Raise the learning rate, or train for more steps."


def with_captures(page: str) -> str:
    """Return a page with what each of its markers `<!-- capture: name width -->` shows in the block below it."""
    return _BLOCK.sub(lambda found: f"{found[1]}{capture(found['name'], found['width'])}\n{found[4]}", page)


def capture(name: str, width: str | None) -> str:
    """Return one capture; raises KeyError for a name that there is not."""
    columns = int(width) if width else None
    made = {
        "live": lambda: _live(columns or WIDTHS[0]),
        "table": lambda: render_table(gate(), width=columns, top=Top.GRID),
        "quiet": lambda: render_table(gate(), width=columns, top=Top.NOTHING),
        "time": lambda: next(
            part for part in render_table(gate(), verbose=True).split("\n\n") if part.startswith("time")
        ),
        "grid": lambda: render_table(sweep(4), width=columns, top=Top.GRID),
        "log": lambda: render_table(sweep(16), width=columns, top=Top.GRID),
        "compare": lambda: _compared(columns),
        "plan": lambda: shown_plan(_plan(), "table", columns),
    }
    return made[name]().rstrip("\n")


def _judged(name: str, value: float, limit: float, line: int, **changes: object) -> Result:
    return judged(criterion(name, limit, line=line, advice=_ADVICE, **changes), value)


def gate() -> Report:
    """Return the report of a preflight: two misses that share their advice, two that are met, one without a verdict."""
    results = [
        _judged("max_trainable_params", 74_693, 100_000, 12, unit="parameters", direction=Direction.AT_MOST),
        _judged("lora_layers", 12, 12, 13),
        _judged("loss_drop", 0.12, 0.5, 14),
        _judged("overfit_accuracy", 0.75, 1.0, 15),
        failed(
            criterion("compile_atol", 1e-5, line=16, direction=Direction.AT_MOST),
            Verdict.ERROR,
            "torch.compile needs a compiler of C++",
        ),
    ]
    made = (Measured(key="parameters", seconds=0.3), Measured(key="training", seconds=14.2))
    taken = (0.4, 0.0, 16.1, 0.0, 0.0)
    shown = [replace(result, seconds=seconds) for result, seconds in zip(results, taken, strict=True)]
    return report(*shown, measurements=made, seconds=23.4)


def sweep(count: int) -> Report:
    """Return the report of a matrix in which the lowest rank misses a limit."""
    parts = []
    for index in range(count):
        cell = f"r={2 ** (index % 4 + 1)}" + (f", steps={20 * (index // 4 + 1)}" if count > 4 else "")
        results = [
            _judged("max_trainable_params", 74_693, 100_000, 12, direction=Direction.AT_MOST, cell=cell),
            _judged("loss_drop", 0.9 if index else 0.31, 0.5, 13, cell=cell),
            _judged("merge_atol", 2e-7, 1e-5, 14, direction=Direction.AT_MOST, cell=cell),
        ]
        parts.append(report(*results, name=f"rank_sweep[{cell}]", cell=cell, seconds=20.0))
    return replace(report(name="rank_sweep", seconds=20.0 * count), cells=tuple(parts))


def _compared(width: int | None) -> str:
    """Return what `compare` shows of two runs, of which the second learns more."""
    before = gate()
    better = replace(before, results=(*before.results[:2], _judged("loss_drop", 0.87, 0.5, 14), *before.results[3:]))
    return table_of(COLUMNS, [*map(row, compare(before, better))], "table", width)


def _plan() -> Plan:
    """Return the plan of the first cell of the shipped matrix."""
    return prepare_cells(SWEEP, cells=("r=4",), entry_points=False)[0][0]


def _live(width: int) -> str:
    """Return what the live line shows at some moments of a run."""
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        progress = LiveProgress(stream)
        lines = [_drawn(progress, 0, width)]
        progress.retspec_run_started(report=gate())
        progress.retspec_importing(library="torch", name="lora_preflight")
        lines.append(_drawn(progress, 3, width))
        progress.retspec_progress(measurement="model", step=0, total=0, name="lora_preflight")
        lines.append(_drawn(progress, 7, width))
        progress.retspec_criterion_finished()
        progress.retspec_progress(measurement="training", step=0, total=0, name="lora_preflight")
        progress.retspec_progress(measurement="training", step=12, total=20, name="lora_preflight")
        lines.append(_drawn(progress, 19, width))
        progress.close()
    return "\n".join(lines)


def _drawn(progress: LiveProgress, elapsed: float, width: int) -> str:
    return _FRAME + fitted(progress.variants(elapsed), width - 3)


def plain_log(stream: StringIO, shown: Report) -> None:
    """Write what a log gets of a report while it runs."""
    progress = PlainProgress(stream)
    progress.retspec_run_started(report=shown)
    for part in shown.parts:
        for result in part.results:
            progress.retspec_criterion_finished(result=result, name=part.name)


def markers(page: str) -> Iterable[tuple[str, str]]:
    """Return the name and the width of each capture of a page."""
    return [(found["name"], found["width"] or "") for found in _BLOCK.finditer(page)]
