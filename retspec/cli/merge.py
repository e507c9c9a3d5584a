"""`retspec merge`: one report of partial ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.options import Plugins, Settings, examples, plugin_options, verbose_option
from retspec.cli.reporting import report_options, show
from retspec.plugins.catalog import gather
from retspec.report.live import destinations, require_apart, write_reports
from retspec.results.results_file import read_report
from retspec.review.recorded import merged, without_gaps

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(
    "merge",
    epilog=examples(
        "retspec merge first/results.json second/results.json --json results.json",
        "retspec merge cells/*.json --junit-xml junit.xml --report html=report.html",
    ),
)
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("--partial", is_flag=True, help="Accept that some cells or criteria are in none of the results.")
@plugin_options
@report_options
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    results: Sequence[Path],
    reports: dict[str, Path],
    *,
    partial: bool,
    **plugins: Unpack[Plugins],
) -> None:
    """Make one report of partial ones.

    RESULTS are results.json files, or HTML reports, of runs that measured some cells of a spec each, or some of its
    criteria. A criterion has the verdict of the run in which it had its turn; with verdicts in two of them it is an
    error, unless they are equal. So are parts of another spec or subject, or with another version of retspec or torch.
    What no run measured stays not run. A cell or a criterion that is in none of them is a fault (exit code 3), because
    its job may have left nothing; --partial accepts it. Exits like run. Only the reports that are named are written.
    """
    catalog = gather(plugins["plugins"], entry_points=plugins["entry_points"])
    require_apart(reports.values(), [*results, catalog.named])
    files = destinations(reports, catalog)
    found = merged([(str(path), read_report(path)) for path in results])
    report = found if partial else without_gaps(found)
    write_reports(report, files)
    show(report, reports, verbose=context.ensure_object(Settings).verbose)
    context.exit(report.exit_code)
