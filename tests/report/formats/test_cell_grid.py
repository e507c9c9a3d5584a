"""A matrix on the screen and in a log."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from retspec.records import Report, Result, Verdict
from retspec.report.formats.table import Top, render_table
from retspec.text.fitting import cells
from tests.report.formats.sample import criterion, failed, judged, report

ANSI = re.compile(r"\x1b\[[0-9]+m")
CRITERIA = ("loss_drop", "merge_atol", "lora_layers", "frozen_drift", "step_time_ms")


def matrix(*names: str, missed: tuple[str, ...] = (), crashed: tuple[str, ...] = ()) -> Report:
    """Return a report of these cells: loss_drop is missed in some, and step_time_ms crashed in some."""

    def results(cell: str) -> list[Result]:
        held = [criterion(name, cell=cell) for name in CRITERIA]
        loss = judged(held[0], 0.31 if cell in missed else 0.9)
        last = failed(held[4], Verdict.CRASH, "died") if cell in crashed else judged(held[4], 0.9)
        return [loss, *(judged(each, 0.9) for each in held[1:4]), last]

    parts = [report(*results(name), name=f"sweep[{name}]", cell=name) for name in names]
    return replace(report(name="sweep"), cells=tuple(parts))


def grid(shown: Report, width: int | None) -> list[str]:
    return render_table(shown, width=width, top=Top.GRID).partition("\n\n")[0].splitlines()


def test_few_cells_are_columns_and_the_worst_criterion_comes_first() -> None:
    assert grid(matrix("r=4", "r=8", missed=("r=8",), crashed=("r=4",)), 80) == [
        "criterion     r=4    r=8",
        "------------  -----  ------",
        "loss_drop     met    missed",
        "step_time_ms  crash  met",
        "merge_atol    met    met",
        "lora_layers   met    met",
        "frozen_drift  met    met",
    ]


def test_many_cells_are_rows_where_the_criteria_fit_beside_each_other() -> None:
    names = [f"r={rank}, steps=20" for rank in range(1, 11)]
    first, _, *rows = grid(matrix(*names, missed=("r=2, steps=20",)), 80)
    assert first.split() == ["cell", *CRITERIA]
    assert [row.partition("  ")[0] for row in rows] == names
    assert rows[1].split()[2] == "missed"


def test_where_words_do_not_fit_there_are_marks_and_what_they_mean() -> None:
    shown = matrix(*(f"r={rank}" for rank in range(1, 9)), missed=("r=2",), crashed=("r=3",))
    text = render_table(shown, width=55, top=Top.GRID)
    assert text.splitlines()[:3] == [
        "criterion     r=1  r=2  r=3  r=4  r=5  r=6  r=7  r=8",
        "------------  ---  ---  ---  ---  ---  ---  ---  ---",
        "loss_drop     ✓    ✗    ✓    ✓    ✓    ✓    ✓    ✓",
    ]
    assert "\n\n✓ met  ✗ missed  ? no verdict\n\n" in text


def test_where_no_grid_fits_each_cell_has_its_counts() -> None:
    names = [f"learning_rate={rank}, steps=20" for rank in range(1, 9)]
    assert grid(matrix(*names, missed=names[1:2]), 40)[:4] == [
        "learning_rate=1, steps=20: 5 met",
        "learning_rate=2, steps=20: 1 missed, 4",
        "    met",
        "learning_rate=3, steps=20: 5 met",
    ]


def test_a_log_of_sixteen_cells_has_a_line_for_cells_with_the_same_verdicts() -> None:
    names = [f"r={rank}, lr=0.001" for rank in range(16)]
    assert grid(matrix(*names, missed=(names[3],)), None) == [
        "criterion     r=0, lr=0.001 and 14 more  r=3, lr=0.001",
        "------------  -------------------------  -------------",
        "loss_drop     met                        missed",
        "merge_atol    met                        met",
        "lora_layers   met                        met",
        "frozen_drift  met                        met",
        "step_time_ms  met                        met",
    ]


@pytest.mark.parametrize("width", [80, 60, 40, 20])
@pytest.mark.parametrize("count", [2, 5, 16, 40])
def test_it_fits_the_screen_and_colour_shifts_nothing(width: int, count: int) -> None:
    word = "網膜" if width > 20 else "rank"  # sentences count characters, not columns
    names = [f"{word}={rank}" for rank in range(count)]
    shown = matrix(*names, missed=(names[1],), crashed=(names[0],))
    assert max(map(cells, grid(shown, width))) <= width
    coloured = render_table(shown, style=lambda word, _: f"\x1b[31m{word}\x1b[0m", width=width, top=Top.GRID)
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == render_table(shown, width=width, top=Top.GRID)


def test_a_criterion_that_a_cell_lacks_is_blank_there() -> None:
    one, other = matrix("a", "b").cells
    shown = matrix("a", "b")
    shown = replace(shown, cells=(replace(one, results=one.results[:2]), other))
    assert grid(shown, 80)[-1].split() == ["step_time_ms", "met"]


def test_a_miss_that_several_cells_share_has_one_block() -> None:
    shown = matrix("r=2", "r=4", "r=8", missed=("r=2", "r=8"))
    _, block, _ = render_table(shown, top=Top.GRID).split("\n\n")
    sentence = "loss_drop = 0.31, required at least 0.5 (short by 0.19)"
    assert block.splitlines() == [
        f"specs/lora_preflight.yaml:22: missed: loss_drop in 2 cells: {sentence}",
        "    cells: r=2, r=8",
        "    → Raise the learning rate, or train for more steps.",
    ]


def test_a_cause_that_cells_share_names_each_criterion_once() -> None:
    block = render_table(matrix("r=2", "r=4", crashed=("r=2", "r=4")), top=Top.GRID).split("\n\n")[1]
    assert block.splitlines() == [
        "specs/lora_preflight.yaml:22: crash: step_time_ms in 2 cells: died",
        "    cells: r=2, r=4",
    ]
