"""Where the time of a run went."""

from __future__ import annotations

from dataclasses import replace

from retspec.records import Measured
from retspec.report.formats.table import render_table
from retspec.report.formats.times import MOST, times
from tests.report.formats.sample import criterion, judged, report

MET = judged(criterion(), 0.9)


def test_start_up_and_preparation_have_rows_of_their_own() -> None:
    results = [replace(MET, seconds=seconds) for seconds in (4.0, 1.0)]
    made = (Measured(key="parameters", seconds=0.5), Measured(key="training", seconds=3.5))
    shown = render_table(report(*results, measurements=made, seconds=11.25), verbose=True)
    assert next(block for block in shown.split("\n\n") if block.startswith("time:")).splitlines() == [
        "time:",
        "    start-up     6.25 s",
        "    preparation  1.00 s",
        "    training     3.50 s",
        "    parameters   0.50 s",
    ]
    assert "start-up" not in render_table(report(*results, measurements=made, seconds=11.25))


def test_the_cells_of_a_matrix_are_added_up_and_the_fast_ones_put_together() -> None:
    made = tuple(Measured(key=f"m{index}", seconds=1.0) for index in range(MOST + 2))
    part = report(replace(MET, seconds=12.0), measurements=made, seconds=13.0, cell="r=4")
    rows = dict(times(replace(report(), cells=(part, part))))
    assert (rows["start-up"], rows["preparation"], rows["m0"]) == (2.0, 0.0, 2.0)
    assert rows["2 other measurements"] == 4.0
    assert sum(rows.values()) == 26.0
