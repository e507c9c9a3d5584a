"""`retspec diff`: what became stricter and what weaker between two specs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli import completing
from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.cli.screen import say
from retspec.cli.tables import Columns, format_option, show_json, show_rows, shown
from retspec.plugins.catalog import gather
from retspec.prepare import prepare_cells
from retspec.records import EXIT_MISSED, Direction
from retspec.review.diffing import Kind, changes, checked_out, code_changes, code_of
from retspec.spec.load.spec_file import folder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Spec
    from retspec.review.diffing import Change

COLUMNS = Columns(
    ("criterion", "change", "of", "old", "new"),
    left_out=(3, 4, 2),
    wraps={1: 9, 3: 12, 4: 12},
)
BOUNDS = frozenset({"limit", "warn"})


@click.command(
    "diff",
    epilog=examples(
        "retspec diff specs/lora_preflight.yaml stricter.yaml",
        "retspec diff origin/main:specs/lora_preflight.yaml specs/lora_preflight.yaml --forbid-loosening",
    ),
)
@click.argument("old", shell_complete=completing.files)
@click.argument("new", shell_complete=completing.files)
@format_option
@click.option("--forbid-loosening", is_flag=True, help="Exit with 1 if NEW demands less than OLD, and name where.")
@plugin_options
@verbose_option
@click.pass_context
def command(
    context: click.Context, old: str, new: str, form: str, *, forbid_loosening: bool, **plugins: Unpack[Plugins]
) -> None:
    """Show what became stricter and what weaker between two specs.

    OLD and NEW are files, or REV:path for a spec as it was at a git revision, with the path from the root of the
    repository. Limits are compared by the direction of their check. A change without a clear direction (an
    exact value, other arguments, the code of a plugin) counts as loosening; a change of the model, the data or the
    recipe does not. A new waiver is listed and allowed: it has an owner and an end.
    """
    gathering = cache(gather)
    (before, code_then), (after, code_now) = (_read(place, gathering, plugins) for place in (old, new))
    found = [*changes(before, after), *code_changes(code_then, code_now)]
    if form == "json":
        show_json(found)
    elif found:
        show_rows(COLUMNS, [*map(_row, found)], form)
    else:
        click.echo("nothing that judges changed")
    _judge(context, found if forbid_loosening else [])


def _read(place: str, gathering: Callable[..., Catalog], plugins: Plugins) -> tuple[list[Spec], dict[str, str]]:
    """Return the cells of a spec, and the hashes of the plugins that it uses."""
    with checked_out(place) as revision:
        plans, catalog = prepare_cells(revision.spec, gathering=gathering, **plugins)
        return [plan.spec for plan in plans], code_of(catalog, folder_of(str(revision.spec)).resolve(), revision.at)


def _row(change: Change) -> tuple[str, ...]:
    return (change.name, change.kind.value, change.part, _cell(change, change.old), _cell(change, change.new))


def _cell(change: Change, value: object) -> str:
    """Return a value; a bound with its direction and its unit."""
    if value is None and change.kind is Kind.CHANGED and change.direction is None:
        return "the default"  # a section of the subject leaves out its defaults
    if value is None or change.part not in BOUNDS or change.direction is None:
        return shown(value)
    direction = "exactly" if change.direction is Direction.EQUAL else change.direction.value
    return f"{direction} {shown(value)} {change.unit}".rstrip()


def _judge(context: click.Context, found: Sequence[Change]) -> None:
    loosened = [change for change in found if change.is_loosening]
    for change in loosened:
        what = f"{change.part} {_cell(change, change.old)} → {_cell(change, change.new)}"
        say(f"loosening: {change.name}: {change.kind.value} ({what})", err=True)
    if loosened:
        context.exit(EXIT_MISSED)
