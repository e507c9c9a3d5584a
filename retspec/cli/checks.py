"""`retspec checks`: list the checks, those of a family or about a word, or show the manual of one."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Unpack

import click
from click.shell_completion import CompletionItem
from tabulate import tabulate

from retspec.cli.manual import manual
from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.errors import UsageError
from retspec.plugins.catalog import gather
from retspec.text.fitting import fitting_columns, screen_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check

HEADERS = ("check", "direction", "unit", "reads", "question")
LEFT_OUT = (3, 2, 1)
"""The columns that a narrow screen does without, in this order."""
SHORTEST = 30
"""Columns of the screen for a question, for which other columns of the table are left out."""
FEWEST = 12
"""Columns of the screen that a question has however narrow that is."""
GAP = 2
PADDING = "  "
"""What tabulate puts between columns, and adds to headers."""


def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the checks whose names begin as typed."""
    catalog = gather()
    items = [CompletionItem(check.name, help=check.question) for check in catalog.checks.values()]
    items += [CompletionItem(family, help="all checks of the family") for family in sorted(_families(catalog))]
    return [item for item in items if item.value.startswith(incomplete)]


@click.command(
    "checks",
    epilog=examples(
        "retspec checks",
        "retspec checks loss_drop",
        "retspec checks data",
        "retspec checks 'loss*'",
        "retspec checks leakage",
    ),
)
@click.argument("name", required=False, shell_complete=complete)
@plugin_options
@verbose_option
def command(name: str | None, **plugins: Unpack[Plugins]) -> None:
    """List the checks, or show the manual of one.

    With the NAME of a check: what it asks and why it matters, its limit, its arguments with their types and
    defaults, what to do when the limit is missed, the measurements that it reads, and the files of both.

    NAME may also be a family such as data, a pattern such as 'loss*', or a word of names and questions: those checks
    are listed.
    """
    catalog = gather(**plugins)
    if name is not None and name in catalog.checks:
        click.echo(manual(catalog.checks[name], catalog))
        return
    found = [*catalog.checks.values()] if name is None else _about(name, catalog)
    if name is not None and not found:
        known = {*catalog.checks, *_families(catalog)}
        hint = catalog.explain_missing(name, dict.fromkeys(known)) or "; `retspec checks` lists them"
        raise UsageError(f"there is no check {name!r}{hint}")
    click.echo("\n\n".join(_tables(found)))


def _families(catalog: Catalog) -> set[str]:
    return {check.family for check in catalog.checks.values()}


def _about(name: str, catalog: Catalog) -> list[Check]:
    """Return the checks of a family, those that a pattern matches, or those with a word in their name or question."""
    checks = catalog.checks.values()
    if name in _families(catalog):
        return [check for check in checks if check.family == name]
    if set(name) & set("*?["):
        return [check for check in checks if fnmatchcase(check.name, name)]
    word = name.casefold()
    return [check for check in checks if word in check.name or word in check.question.casefold()]


def _tables(found: Iterable[Check]) -> Iterator[str]:
    """Yield a table per family, all with the same columns: a narrow screen does without some, and wraps questions."""
    checks, width = sorted(found, key=attrgetter("family", "name")), screen_width()
    shown, question = _columns([*map(_row, checks)], width)
    headers = [HEADERS[column] for column in shown]
    widths = [*([None] * (len(shown) - 1)), question]
    for family, members in groupby(checks, key=attrgetter("family")):
        rows = [[_row(check)[column] for column in shown] for check in members]
        table = tabulate(rows, headers=headers, disable_numparse=True, maxcolwidths=widths if question else None)
        yield f"{click.style(family, bold=True)}\n{table}"


def _columns(rows: Sequence[Sequence[str]], width: int | None) -> tuple[list[int], int | None]:
    """Return the columns that fit beside a question of some words, and how much of the screen is left for it."""
    if width is None:
        return [*range(len(HEADERS))], None
    heads = [f"{header}{PADDING}" for header in HEADERS]
    short = [[*cells[:-1], cells[-1][:SHORTEST]] for cells in (heads, *rows)]
    shown = fitting_columns(short, width, LEFT_OUT)
    taken = sum(max(len(cells[column]) for cells in short) + GAP for column in shown[:-1])
    return shown, max(width - taken, FEWEST)


def _row(check: Check) -> list[str]:
    return [
        check.name,
        check.direction.value,
        check.unit or "-",
        ", ".join(check.measurements),
        check.question,
    ]
