"""The page about the terminal shows what is printed; `tests/house/test_generated.py` holds it to the code."""

from __future__ import annotations

from io import StringIO

import pytest

from retspec.text.fitting import cells
from tests.house.captures import TERMINAL, WIDTHS, capture, markers, plain_log, sweep
from tests.house.refresh import ROOT

PAGE = (ROOT / TERMINAL).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["live", "table", "compare", "plan"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_capture_fits_its_screen(name: str, width: int) -> None:
    assert (name, str(width)) in markers(PAGE)
    words = (line for line in capture(name, str(width)).splitlines() if " " in line.strip())
    assert max(map(cells, words)) <= width


def test_a_matrix_of_sixteen_cells_is_a_dozen_lines_and_its_misses() -> None:
    log = StringIO()
    plain_log(log, sweep(16))
    assert len(log.getvalue().splitlines()) == 5
    grid, *_ = capture("log", None).split("\n\n")
    assert len(grid.splitlines()) <= 6


def test_a_log_has_no_control_characters() -> None:
    log = StringIO()
    plain_log(log, sweep(4))
    assert log.getvalue().replace("\n", "").isprintable()
