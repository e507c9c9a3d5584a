"""`retspec plugins`: list what loads besides the built-in plugins, and what fails to."""

from __future__ import annotations

import os
from typing import Unpack

import click

from retspec.characters import one_line
from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.cli.screen import say
from retspec.cli.tables import Columns, show_rows
from retspec.plugins.catalog import Catalog, gather
from retspec.plugins.loading import ALLOW_LIST, Plugin

COLUMNS = Columns(("plugin", "version", "origin", "offers"), left_out=(2, 1), wraps={3: 24})


@click.command("plugins", epilog=examples("retspec plugins", "retspec plugins -p my_checks.py"))
@plugin_options
@verbose_option
def command(**plugins: Unpack[Plugins]) -> None:
    """List the plugins, and why any failed to load.

    A plugin is an installed package with an entry point in the group retspec, or a Python file named in a
    spec or by -p. The variable RETSPEC_PLUGINS, names separated by commas, limits which installed ones load.
    """
    catalog = gather(**plugins)
    if catalog.plugins:
        show_rows(COLUMNS, [*map(_row, catalog.plugins)])
        click.echo()
    else:
        click.echo("no plugins beside the built-in ones")
    if (allowed := os.environ.get(ALLOW_LIST)) is not None:
        say(f"{ALLOW_LIST} lets only these load: {allowed or 'none'}")
    say(_offer(catalog))


def _row(plugin: Plugin) -> list[str]:
    offers = f"does not load: {plugin.error}" if plugin.error else ", ".join(plugin.offers)
    return [*map(one_line, (plugin.name, plugin.version or "-", plugin.origin, offers or "observes only"))]


def _offer(catalog: Catalog) -> str:
    """Return the totals, built-in things included."""
    sources = sorted({*catalog.model_sources, *catalog.data_sources, *catalog.training_keys})
    return one_line(
        f"in all: {len(catalog.checks)} checks, {len(catalog.measurements)} measurements, "
        f"sources {', '.join(sources)}, reports {', '.join(catalog.reporters)}"
    )
