"""`retspec checks`: list the checks, those of a family or about a word, or show the manual of one."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Unpack

import click
from click.shell_completion import CompletionItem

from retspec.cli.manual import manual
from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.cli.tables import Columns, tables_of
from retspec.errors import UsageError
from retspec.plugins.catalog import gather
from retspec.text.fitting import screen_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check

COLUMNS = Columns(
    ("check", "direction", "unit", "reads", "question"),
    left_out=(3, 2, 1),
    wraps={4: 30},
    untold=(1, 2, 3),  # the manual of a check says it
)


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
        click.echo(manual(catalog.checks[name], catalog, screen_width()))
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
    """Yield a table per family, all with the same columns."""
    checks = sorted(found, key=attrgetter("family", "name"))
    families = {family: [*map(_row, members)] for family, members in groupby(checks, key=attrgetter("family"))}
    tables = tables_of(COLUMNS, [*families.values()], screen_width())
    for family, table in zip(families, tables, strict=True):
        yield f"{click.style(family, bold=True)}\n{table}"


def _row(check: Check) -> list[str]:
    return [
        check.name,
        check.direction.value,
        check.unit or "-",
        ", ".join(check.measurements),
        check.question,
    ]
