"""`retspec run`: the command that everything else is there for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.colour import paint
from retspec.cli.options import Planning, Settings, SpecFile, examples, planning_options, verbose_option
from retspec.cli.progress import watching
from retspec.errors import UsageError
from retspec.reporters.table import render_table
from retspec.run import run

if TYPE_CHECKING:
    from collections.abc import Iterable

REPORTS = Path("reports")
"""Where reports go unless they are told otherwise, below the current directory."""


class Running(Planning):
    """What `retspec.run.run` is given beside the spec, the reports and the observers."""

    fail_fast: bool
    strict: bool


@click.command(
    "run",
    epilog=examples(
        "retspec run specs/lora_preflight.yaml",
        "retspec run specs/lora_preflight.yaml -k params -x",
        "retspec run specs/lora_preflight.yaml --device cpu --set model.lora.r=16",
        "retspec run specs/lora_preflight.yaml --junit-xml build/junit.xml --report markdown=summary.md",
    ),
)
@click.argument("spec", type=SpecFile())
@planning_options
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first criterion that is not met.")
@click.option("--strict", is_flag=True, help="Let a warning fail the run (exit code 1).")
@click.option("--junit-xml", metavar="PATH", help="Write the JUnit XML there.")
@click.option("--json", "results", metavar="PATH", help="Write results.json there.")
@click.option("--report", "others", multiple=True, metavar="FORMAT=PATH", help="Write another report. Repeatable.")
@click.option(
    "--no-reports", "defaults", is_flag=True, flag_value=False, default=True, help="Write only named reports."
)
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    others: tuple[str, ...],
    *,
    defaults: bool,
    junit_xml: str | None,
    results: str | None,
    **options: Unpack[Running],
) -> None:
    """Run the checks of a spec and write its reports.

    Measures what the criteria of SPEC need, each thing once, in a worker process; prints the verdicts; writes
    reports/NAME/junit.xml and reports/NAME/results.json below the current directory, NAME being the spec's
    file name without its ending. The reports are complete at every moment: what has no verdict yet stands
    there as not run.
    """
    named = {"junit": junit_xml, "json": results}
    reports = _destinations(spec if defaults else None, [*map(_format_and_path, others), *named.items()])
    with watching(sys.stderr) as observer:
        report = run(spec, reports=reports, observers=[observer], **options)
    verbose = context.ensure_object(Settings).verbose
    click.echo(render_table(report, style=paint, verbose=verbose), nl=False)
    for name, path in reports.items():
        click.echo(f"{name}: {path}")
    context.exit(report.exit_code)


def _destinations(spec: Path | None, named: Iterable[tuple[str, str | None]]) -> dict[str, Path]:
    """Return each format's path: those that were named, and for a spec the two that every run writes."""
    folder = REPORTS / spec.stem if spec else None
    usual = {"junit": folder / "junit.xml", "json": folder / "results.json"} if folder else {}
    reports = usual | {name: Path(path) for name, path in named if path is not None}
    if len({*reports.values()}) < len(reports):
        raise UsageError("two reports would be written to the same file; give each its own path")
    return reports


def _format_and_path(pair: str) -> tuple[str, str]:
    name, equals, path = pair.partition("=")
    if not (name and equals and path):
        raise UsageError(f"--report {pair}: write FORMAT=PATH, for example markdown=summary.md")
    return name, path
