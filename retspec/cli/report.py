"""`retspec report`: a report of recorded results, in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.errors import UsageError
from retspec.plugins.catalog import gather
from retspec.report.formats.table import render_table
from retspec.report.live import require_apart, write_whole
from retspec.report.live.writing import rendered, reporter_named
from retspec.results.results_file import read_report
from retspec.text.fitting import screen_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Report

PNG = "png"
"""The plots alone, a file each."""
HTML = "html"
"""The format that shows several results on one page."""
TABLE = "table"
"""The format that follows the width of a screen."""


@click.command(
    "report",
    epilog=examples(
        "retspec report results.json -o report.html",
        "retspec report before.json after.json -o compared.html",
        "retspec report runs/*/results.json -o history.html",
        "retspec report report.html --format junit -o junit.xml",
        "retspec report results.json --format png -o plots",
    ),
)
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "--format",
    "form",
    default=HTML,
    show_default=True,
    metavar="FORMAT",
    help="Any format that --report of run knows, or png for the plots.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Write there instead of stdout; a folder for png.",
)
@plugin_options
@verbose_option
def command(results: Sequence[Path], form: str, output: Path | None, **plugins: Unpack[Plugins]) -> None:
    """Write a report of recorded results.

    RESULTS are results.json files, or HTML reports, which hold their results. Nothing is measured or judged
    again. HTML shows several results on one page: those that started last, compared with those before; with
    three or more, the course of each criterion. Exits 0 whatever the verdicts are.
    """
    catalog = gather(plugins["plugins"], entry_points=plugins["entry_points"])
    require_apart([output] if output else [], [*results, catalog.named])
    if form == PNG:
        _write_plots([read_report(path) for path in results], output)
        return
    if form == TABLE and output is None and len(results) == 1:
        click.echo(render_table(read_report(results[0]), width=screen_width()), nl=False)
        return
    text = _rendered([read_report(path) for path in results], form, catalog)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text)


def _write_plots(reports: Sequence[Report], output: Path | None) -> None:
    """Write the plots of one run as PNG: all into a folder, or one into a file."""
    from retspec.report.page.png import chosen, plots_of

    if output is None or len(reports) > 1:
        raise UsageError(
            f"the format {PNG!r} writes the plots of one run: name a folder for all of them with -o, or a file such as "
            "loss.png for one"
        )
    plots = [*plots_of(reports[0])]
    if output.suffix.lower() == ".png" and not output.is_dir():
        write_whole(output, chosen(plots, output.stem).image)
        return
    for plot in plots:
        write_whole(output / f"{plot.name}.png", plot.image)
    count = f"{len(plots)} plot{'' if len(plots) == 1 else 's'}"
    click.echo(f"{count} in {output}" if plots else "these results hold no facts that have a plot")


def _rendered(reports: Sequence[Report], form: str, catalog: Catalog) -> str:
    reporter = reporter_named(form, catalog)
    if len(reports) == 1:
        return rendered(reporter, reports[0])
    if form != HTML:
        raise UsageError(f"the format {form!r} shows one run, and here are {len(reports)}; {HTML} shows several")
    from retspec.report.page import render_page

    return render_page(reports)
