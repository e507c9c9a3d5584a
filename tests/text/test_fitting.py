"""What a narrow screen shows: every verdict, whole words, and nothing beyond its edge that can be broken."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.records import Verdict
from retspec.report.formats.table import HEADERS, render_table
from retspec.text.fitting import screen_width, visible_length, wrapped
from tests.report.formats.sample import sample

ALL = render_table(sample())


def rows(text: str) -> list[str]:
    return text.partition("\n\n")[0].splitlines()


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (200, ()),
        (88, ("time", "margin")),
        (60, ("time", "margin", "limit")),
        (40, ("time", "margin", "limit", "observed")),
    ],
)
def test_a_narrow_screen_leaves_out_columns_and_keeps_every_verdict(width: int, left_out: tuple[str, ...]) -> None:
    headers, _, *shown = rows(render_table(sample(), width=width))
    assert headers.split() == [header for header in HEADERS if header not in left_out]
    assert len(shown) == len(rows(ALL)) - 2
    assert max(map(len, rows(render_table(sample(), width=width)))) <= width
    for line, whole in zip(shown, rows(ALL)[2:], strict=True):
        assert line.split()[0] == whole.split()[0]
        assert any(verdict.value in line for verdict in Verdict)


@pytest.mark.parametrize("width", [80, 60, 40])
def test_nothing_is_lost_and_no_line_that_can_be_broken_is_too_long(width: int) -> None:
    narrow = render_table(sample(), width=width).partition("\n\n")[2]
    printed = "    output of "
    assert narrow.split() == ALL.partition("\n\n")[2].split()
    for block in narrow.split("\n\n"):
        lines = block.partition(printed)[0].splitlines()
        assert [line for line in lines if len(line) > width and " " in line.strip()] == []


@pytest.mark.parametrize("width", [None, 60])
def test_colours_change_no_line(width: int | None) -> None:
    coloured = render_table(sample(), style=lambda word, _: f"\x1b[31m{word}\x1b[0m", width=width)
    plain = render_table(sample(), width=width)
    assert [visible_length(line) for line in coloured.splitlines()] == [len(line) for line in plain.splitlines()]


@given(st.text(st.sampled_from("ab /é "), max_size=80), st.integers(20, 60))
def test_breaking_a_line_changes_blanks_alone(line: str, width: int) -> None:
    assert wrapped(line, width).split() == line.split()


@pytest.mark.parametrize(("said", "width"), [("72", 72), ("5", 20), ("0", None), ("wide", None), ("", None)])
def test_the_width_of_a_pipe_is_what_columns_says(
    said: str, width: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", said)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert screen_width() == width
