"""What a narrow screen shows: every verdict, whole words, and nothing beyond its edge that can be broken."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import sys
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.records import Verdict
from retspec.report.formats.table import HEADERS, render_table
from retspec.text.fitting import column_widths, reflowed, screen_width, visible_length, wrapped
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


def test_the_width_of_another_stream_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 57, 0, 0))
    with os.fdopen(slave, "w") as stream:
        assert screen_width(stream) == 57
    os.close(master)
    assert screen_width(io.StringIO()) is None


def test_a_word_that_is_longer_than_the_screen_keeps_the_indent() -> None:
    path = "a/path/without/a/blank/that/is/too/long"
    assert wrapped(f"    {path}", 30) == f"    {path}"
    assert wrapped(f"  in {path}", 30) == f"  in\n      {path}"


# Columns ---------------------------------------------------------------------------------------------

ROWS = [("name", "of", "what it says"), ("a_long_name", "limit", "some words of a text")]


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (80, {0: 11, 1: 5, 2: 20}),
        (40, {0: 11, 1: 5, 2: 20}),
        (39, {0: 11, 1: 5, 2: 19}),
        (32, {0: 11, 1: 5, 2: 12}),
        (31, {0: 11, 2: 18}),
        (25, {0: 11, 2: 12}),
        (24, {0: 11, 2: 11}),
        (18, {0: 11, 2: 5}),
        (17, {}),
    ],
)
def test_a_column_wraps_before_another_is_left_out_and_that_before_words_are_broken(
    width: int, widths: dict[int, int]
) -> None:
    assert column_widths(ROWS, width, dropped=(1,), wraps={2: 12}, widest={}) == widths


def test_what_is_almost_whole_gets_its_room_before_long_texts() -> None:
    rows = [("a b c d e f g", "met → missed", "a long text of many words that has no room")]
    assert column_widths(rows, 44, (), {0: 5, 1: 6, 2: 10}, {}) == {0: 13, 1: 12, 2: 15}


def test_a_column_is_never_wider_than_it_may_be() -> None:
    assert column_widths(ROWS, 200, dropped=(1,), wraps={}, widest={2: 15}) == {0: 11, 1: 5, 2: 15}
    assert column_widths(ROWS, 200, dropped=(1,), wraps={}, widest={0: 3})[0] == 11, "a word is kept whole"


# Docstrings ------------------------------------------------------------------------------------------

DOC = """Is it so?

Why:
    The first line of a paragraph
    and the second.

Example:
    it: {is: so}
    them: {are: not, like: that}

- an item that takes a whole line
- a second item
"""


def test_a_paragraph_is_filled_again_where_it_is_too_wide() -> None:
    assert reflowed(DOC, None) == reflowed(DOC, 33) == DOC
    assert "    The first line of a\n    paragraph and the second.\n\n" in reflowed(DOC, 30)


def test_examples_and_lists_keep_their_lines() -> None:
    shown = reflowed(DOC, 24)
    assert "    it: {is: so}\n    them: {are: not,\n        like: that}\n" in shown
    assert "- an item that takes a\n    whole line\n- a second item\n" in shown
    assert shown.split() == DOC.split()
