"""Tables for people, for pull requests and for programs: shared by the commands that print one."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from tabulate import tabulate

from retspec.characters import one_line
from retspec.records import plain
from retspec.text.fitting import column_widths, in_column, screen_width, wrapped
from retspec.text.markdown import markdown_table
from retspec.text.wording import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Rows = Sequence[Sequence[str]]

FORMATS = ("table", "json", "markdown")
NOTHING = "—"
_EMPTY = {"", "-", NOTHING}
_NAME_AND_TEXT = 2
"""Columns of a table whose sentences need no headers."""
_PADDING = ".."
"""What tabulate makes a column wider than its header, at least (`tabulate.MIN_PADDING`); as part of the word here."""


def _always(_row: Sequence[str]) -> bool:
    return True


@dataclass(frozen=True)
class Columns:
    """The columns of a table, and what becomes of them on a narrow screen."""

    headers: tuple[str, ...]
    left_out: tuple[int, ...] = ()
    """Columns that a narrow screen does without, in this order; the first names the row and stays."""
    wraps: Mapping[int, int] = field(default_factory=dict)
    """Columns that wrap before others are left out, each with the characters that it keeps."""
    widest: Mapping[int, int] = field(default_factory=dict)
    """Columns that wrap on any screen, and in a file."""
    align: str = "left"
    needs_all: Callable[[Sequence[str]], bool] = _always
    """Whether what is left out of a row follows below the table."""
    untold: tuple[int, ...] = ()
    """Columns that are left out without a trace."""


def format_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--format`, as the parameter `form`."""
    option = click.option(
        "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print; by default a table."
    )
    return option(function)


def show_rows(columns: Columns, rows: Rows, form: str = "table", *, err: bool = False) -> None:
    """Print a table of plain texts, for the screen that it goes to or as Markdown."""
    width = screen_width(sys.stderr if err else sys.stdout)
    click.echo(table_of(columns, rows, form, width), err=err)


def table_of(columns: Columns, rows: Rows, form: str, width: int | None) -> str:
    """Return a table of plain texts, as wide as the screen or as Markdown."""
    if form == "markdown":
        return "\n".join(markdown_table(columns.headers, rows))
    (text,) = tables_of(columns, [rows], width)
    return text


def tables_of(columns: Columns, groups: Sequence[Rows], width: int | None) -> list[str]:
    """Return a table of each group, all with the same columns.

    width: columns of the screen; None for a file. Where they are too few for all columns, some are left out, and follow
    below the table by row; where they are too few for a table of whole words, each row is a sentence.
    """
    groups = [[[*map(one_line, row)] for row in rows] for rows in groups]
    if width is None:
        widths = [columns.widest.get(column) for column in range(len(columns.headers))] if columns.widest else None
        return [_drawn(columns, columns.headers, rows, widths) for rows in groups]
    heads = [" ".join(word + _PADDING for word in header.split(" ")) for header in columns.headers]
    every = [heads, *(row for rows in groups for row in rows)]
    shown = column_widths(every, width, columns.left_out, columns.wraps, columns.widest)
    return [_fitted(columns, rows, shown, width) for rows in groups]


def _fitted(columns: Columns, rows: Rows, widths: Mapping[int, int], width: int) -> str:
    rest = [each for each in range(1, len(columns.headers)) if each not in widths and each not in columns.untold]
    if not widths:
        return "\n".join(wrapped(_sentence(columns, row, rest) or row[0], width) for row in rows)
    headers = [in_column(columns.headers[column], size - len(_PADDING)) for column, size in widths.items()]
    lines = [[in_column(row[column], size) for column, size in widths.items()] for row in rows]
    told = (_sentence(columns, row, rest) for row in rows if columns.needs_all(row))
    below = [wrapped(sentence, width) for sentence in told if sentence]
    return "\n".join([_drawn(columns, headers, lines), *([""] if below else []), *below])


def _sentence(columns: Columns, row: Sequence[str], rest: Sequence[int]) -> str:
    """Return what some columns say of a row; nothing if they are empty."""
    said = [(columns.headers[column], row[column]) for column in rest if row[column] not in _EMPTY]
    if len(columns.headers) - len(columns.untold) == _NAME_AND_TEXT:
        return f"{row[0]}: {said[0][1]}" if said else ""
    return f"{row[0]}: {'; '.join(map(' '.join, said))}" if said else ""


def _drawn(columns: Columns, headers: Sequence[str], rows: Rows, widths: Sequence[int | None] | None = None) -> str:
    align = [columns.align] * len(headers) if rows else None
    return tabulate(rows, headers=headers, disable_numparse=True, maxcolwidths=widths, colalign=align)


def show_json(data: Any, *, err: bool = False) -> None:
    """Print records as JSON."""
    click.echo(json.dumps(plain(data), indent=2, sort_keys=True), err=err)


def shown(value: object) -> str:
    """Return a value as text for a cell; None is a dash."""
    return NOTHING if value is None else exact(value)
