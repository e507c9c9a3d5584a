"""`retspec run`: the command that everything else is there for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Unpack

import click

from retspec.cli.options import Planning, Settings, SpecFile, cell_option, examples, planning_options, verbose_option
from retspec.cli.progress import watching
from retspec.cli.reporting import report_options, require_distinct, show
from retspec.run import run

REPORTS = Path("reports")
"""Where reports go unless they are told otherwise, below the current directory."""


class Running(Planning):
    """What `retspec.run.run` is given beside the spec, the reports and the observers."""

    cells: tuple[str, ...]
    fail_fast: bool
    strict: bool


@click.command(
    "run",
    epilog=examples(
        "retspec run specs/lora_preflight.yaml",
        "retspec run specs/lora_preflight.yaml -k params -x",
        "retspec run specs/lora_preflight.yaml --device cpu --set model.lora.r=16",
        "retspec run specs/rank_sweep.yaml --cell r=8",
        "retspec run specs/lora_preflight.yaml --junit-xml build/junit.xml --report markdown=summary.md",
    ),
)
@click.argument("spec", type=SpecFile())
@cell_option
@planning_options
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first criterion that is not met.")
@click.option("--strict", is_flag=True, help="Let a warning fail the run (exit code 1).")
@report_options
@click.option(
    "--no-reports", "defaults", is_flag=True, flag_value=False, default=True, help="Write only named reports."
)
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    reports: dict[str, Path],
    *,
    defaults: bool,
    **options: Unpack[Running],
) -> None:
    """Run the checks of a spec and write its reports.

    Measures what the criteria of SPEC need, each thing once, in a worker process; prints the verdicts; writes
    reports/NAME/junit.xml and reports/NAME/results.json below the current directory, NAME being the spec's
    file name without its ending. The reports are complete at every moment: what has no verdict yet stands
    there as not run.
    """
    if defaults:
        reports = _usual(spec) | reports
    require_distinct(reports)
    with watching(sys.stderr) as observer:
        report = run(spec, reports=reports, observers=[observer], **options)
    show(report, reports, verbose=context.ensure_object(Settings).verbose)
    context.exit(report.exit_code)


def _usual(spec: Path) -> dict[str, Path]:
    """Return the reports that every run writes."""
    folder = REPORTS / spec.stem
    return {"junit": folder / "junit.xml", "json": folder / "results.json"}
