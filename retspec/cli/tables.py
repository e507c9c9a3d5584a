"""Tables for people, for pull requests and for programs: shared by the commands that compare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from tabulate import tabulate

from retspec.characters import one_line
from retspec.records import plain
from retspec.text.markdown import markdown_table
from retspec.text.wording import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FORMATS = ("table", "json", "markdown")
NOTHING = "—"


def format_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--format`, as the parameter `form`."""
    option = click.option(
        "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print; by default a table."
    )
    return option(function)


def show_rows(headers: Sequence[str], rows: Sequence[Sequence[str]], form: str) -> None:
    """Print a table of plain texts, for a terminal or as Markdown."""
    if form == "markdown":
        click.echo("\n".join(markdown_table(headers, rows)))
    else:
        texts = [[*map(one_line, row)] for row in rows]
        click.echo(tabulate(texts, headers=headers, disable_numparse=True))


def show_json(data: Any) -> None:
    """Print records as JSON."""
    click.echo(json.dumps(plain(data), indent=2, sort_keys=True))


def shown(value: object) -> str:
    """Return a value as text for a cell; None is a dash."""
    return NOTHING if value is None else exact(value)
