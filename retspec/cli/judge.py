"""`retspec judge`: judge recorded results under other limits, without measuring again."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from retspec.cli.options import Planning, Settings, SpecFile, cell_option, examples, planning_options, verbose_option
from retspec.cli.reporting import report_options, show
from retspec.errors import UsageError
from retspec.prepare import prepare_cells
from retspec.report.live import destinations, folders_of, read_by, require_apart, require_no_fuller, write_reports
from retspec.results.results_file import read_report
from retspec.review.recorded import judge_again


@click.command(
    "judge",
    epilog=examples(
        "retspec judge reports/lora_preflight/results.json --spec specs/lora_preflight.yaml",
        "retspec judge results.json --spec stricter.yaml --junit-xml junit.xml",
    ),
)
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--spec", type=SpecFile(), required=True, help="The spec whose limits count.")
@cell_option
@planning_options
@click.option("--strict", is_flag=True, help="Let a warning fail (exit code 1).")
@click.option("-q", "--quiet", is_flag=True, help="Print only what is not met, and the last line.")
@report_options
@verbose_option
@click.pass_context
def command(  # noqa: PLR0913 - one for each option
    context: click.Context,
    results: Path,
    spec: Path,
    reports: dict[str, Path],
    *,
    cells: tuple[str, ...],
    strict: bool,
    quiet: bool,
    **options: Unpack[Planning],
) -> None:
    """Judge recorded results under the limits of a spec.

    RESULTS is a results.json. Nothing is measured: what was not recorded (a new criterion, one with another
    check or other arguments, anything about another model, data, recipe, seed or dtype) is reported as not run and
    is never green. Exits like run. Only the reports that are named are written.
    """
    settings = context.ensure_object(Settings)
    if quiet and settings.verbose:
        raise UsageError("--quiet and --verbose exclude each other")
    plans, catalog = prepare_cells(spec, cells=cells, **options)
    read = [results, catalog.named, *(read_by(plan.spec) for plan in plans)]
    require_apart(reports.values(), read, folders_of(plans))
    require_no_fuller([(plans, catalog)], [reports])
    files = destinations(reports, catalog)
    report = judge_again(plans, read_report(results), strict=strict)
    write_reports(report, files)
    show(report, reports, verbose=settings.verbose, quiet=quiet)
    context.exit(report.exit_code)
