"""What becomes of a table on a narrow screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.cli.tables import NOTHING, Columns, table_of, tables_of

COLUMNS = Columns(("name", "unit", "value", "why"), left_out=(1, 2), wraps={3: 12})
ROWS = [
    ("loss_drop", "—", "0.5", "a sentence that needs some room"),
    ("peak_memory", "MB", "1,200", "short"),
]


def test_a_screen_with_room_shows_what_a_file_gets() -> None:
    assert table_of(COLUMNS, ROWS, "table", 80) == table_of(COLUMNS, ROWS, "table", None)


def test_what_is_left_out_follows_by_row_without_what_is_empty() -> None:
    assert table_of(COLUMNS, ROWS, "table", 36).splitlines() == [
        "name         value    why",
        "-----------  -------  ----------",
        "loss_drop    0.5      a sentence",
        "                      that needs",
        "                      some room",
        "peak_memory  1,200    short",
        "",
        "peak_memory: unit MB",
    ]


def test_where_no_table_of_whole_words_fits_each_row_is_a_sentence() -> None:
    assert table_of(COLUMNS, ROWS, "table", 20).splitlines() == [
        "loss_drop: value",
        "    0.5; why a",
        "    sentence that",
        "    needs some room",
        "peak_memory: unit",
        "    MB; value 1,200;",
        "    why short",
    ]


def test_a_row_without_more_is_its_name() -> None:
    assert table_of(COLUMNS, [*ROWS, ("bare", "", "-", "—")], "table", 20).splitlines()[-1] == "bare"


def test_a_text_of_its_own_needs_no_header() -> None:
    columns = Columns(COLUMNS.headers, left_out=(1, 2), wraps={3: 12}, untold=(1, 2))
    assert table_of(columns, ROWS, "table", 20).splitlines()[-1] == "peak_memory: short"


def test_what_does_not_matter_is_left_out_without_a_trace() -> None:
    columns = Columns(COLUMNS.headers, left_out=(1, 2), wraps={3: 12}, needs_all=lambda row: row[0] != "peak_memory")
    assert table_of(columns, ROWS, "table", 36).splitlines()[-1] == "peak_memory  1,200    short"
    untold = Columns(COLUMNS.headers, left_out=(1, 2), wraps={3: 12}, untold=(1,))
    assert table_of(untold, ROWS, "table", 36) == table_of(columns, ROWS, "table", 36)


def test_the_tables_of_several_groups_have_the_same_columns() -> None:
    first, second = tables_of(COLUMNS, [ROWS[:1], ROWS[1:]], 36)
    assert first.splitlines()[0].split() == second.splitlines()[0].split() == ["name", "value", "why"]


def test_a_table_without_rows_has_its_headers() -> None:
    assert table_of(COLUMNS, [], "table", 40).splitlines()[0].split() == [*COLUMNS.headers]


CELLS = st.lists(st.text("abc,", min_size=1, max_size=9), max_size=5).map(" ".join)
NAMES = st.text("abc", min_size=1, max_size=12)


@given(
    rows=st.lists(st.tuples(NAMES, CELLS, CELLS, CELLS), min_size=1, max_size=4),
    width=st.integers(20, 100),
)
def test_no_line_is_too_long_no_word_is_broken_and_none_is_lost(rows: list[tuple[str, ...]], width: int) -> None:
    text = table_of(COLUMNS, rows, "table", width)
    assert max(map(len, text.splitlines())) <= width
    shown = {word for word in text.replace(";", " ").replace(":", " ").split() if word.strip("-")}
    given_words = {word for row in rows for cell in row for word in cell.split()}
    assert given_words <= shown | {NOTHING}
    assert shown <= given_words | {*COLUMNS.headers}


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_file_gets_every_column(form: str) -> None:
    assert all(header in table_of(COLUMNS, ROWS, form, None) for header in COLUMNS.headers)
