"""`retspec checks`: list the checks, or show the manual of one."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check

HEADERS = ("check", "direction", "unit", "reads", "question")


def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the checks whose names begin as typed."""
    found = gather().checks.values()
    return [CompletionItem(check.name, help=check.question) for check in found if check.name.startswith(incomplete)]


@click.command("checks", epilog=examples("retspec checks", "retspec checks loss_drop"))
@click.argument("name", required=False, shell_complete=complete)
@plugin_options
@verbose_option
def command(name: str | None, **plugins: Unpack[Plugins]) -> None:
    """List the checks, or show the manual of one.

    With NAME: what the check asks and why it matters, its limit, its arguments with their types and defaults,
    what to do when the limit is missed, the measurements that it reads, and the files of both.
    """
    catalog = gather(**plugins)
    if name is None:
        click.echo("\n\n".join(_tables(catalog)))
    elif name in catalog.checks:
        click.echo(manual(catalog.checks[name], catalog))
    else:
        hint = catalog.explain_missing(name, catalog.checks) or "; `retspec checks` lists them"
        raise UsageError(f"there is no check {name!r}{hint}")


def _tables(catalog: Catalog) -> Iterator[str]:
    """Yield a table per family, all with the same columns."""
    checks = sorted(catalog.checks.values(), key=attrgetter("family", "name"))
    for family, members in groupby(checks, key=attrgetter("family")):
        rows = [_row(check) for check in members]
        yield f"{click.style(family, bold=True)}\n{tabulate(rows, headers=HEADERS, disable_numparse=True)}"


def _row(check: Check) -> list[str]:
    return [
        check.name,
        check.direction.value,
        check.unit or "-",
        ", ".join(check.measurements),
        check.question,
    ]
