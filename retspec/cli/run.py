"""`retspec run`: run the checks of specs and write their reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.fail_fast import FirstFailure
from retspec.cli.options import Planning, Settings, SpecFile, cell_option, examples, planning_options, verbose_option
from retspec.cli.progress import watching
from retspec.cli.reporting import overview, report_options, show
from retspec.errors import UsageError
from retspec.records import exit_code_of
from retspec.report.live import require_distinct
from retspec.running import run_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "{name}"
"""The placeholder in the path of a report: the file name of its spec, without the ending."""
REPORTS = Path("reports")
"""Where reports go by default, below the current directory."""


class Running(Planning):
    """The arguments of `retspec.running.run_all` besides the specs, the reports and the observers."""

    cells: tuple[str, ...]
    fail_fast: bool
    strict: bool
    jobs: int
    live_output: bool


@click.command(
    "run",
    epilog=examples(
        "retspec run specs/lora_preflight.yaml",
        "retspec run specs/lora_preflight.yaml -k params -x",
        "retspec run specs/lora_preflight.yaml --device cpu --set model.lora.r=16",
        "retspec run specs/rank_sweep.yaml --cell r=8",
        "retspec run specs/*.yaml --jobs 2 --junit-xml build/{name}.xml",
        "retspec run specs/lora_preflight.yaml --report markdown=summary.md",
    ),
)
@click.argument("specs", nargs=-1, required=True, type=SpecFile(), metavar="SPEC...")
@cell_option
@planning_options
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first criterion that is not met.")
@click.option("--strict", is_flag=True, help="Let a warning fail the run (exit code 1).")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many specs and cells are measured at a time; the cores are divided between them.",
)
@click.option(
    "-s",
    "--live-output",
    is_flag=True,
    help="Show what the code under test prints on stderr as it comes, and keep none of it.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what is not met, and the last line.")
@report_options
@click.option(
    "--no-reports", "defaults", is_flag=True, flag_value=False, default=True, help="Write only named reports."
)
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    specs: Sequence[Path],
    reports: dict[str, Path],
    *,
    defaults: bool,
    quiet: bool,
    **options: Unpack[Running],
) -> None:
    """Run the checks of specs and write their reports.

    Measures what the criteria of each SPEC need, each thing once, in a worker process; prints the verdicts;
    writes junit.xml, results.json and report.html to reports/NAME below the current directory, NAME being the
    spec's file name without its ending; {name} in the path of a report means the same. The reports are
    complete at every moment: criteria without a verdict yet are listed as not run.

    Specs and cells with the same model follow one another in one worker, which makes it once.
    """
    files = [_files_of(spec, reports, defaults=defaults) for spec in specs]
    hint = f"; {NAME} in it is the file name of the spec, without the ending" if len(specs) > 1 else ""
    require_distinct([path for each in files for path in each.values()], hint=hint)
    verbose, first_failure = context.ensure_object(Settings).verbose, FirstFailure()
    if quiet and verbose:
        raise UsageError("--quiet and --verbose exclude each other")
    with watching(sys.stderr, by_lines=options["live_output"], quiet=quiet) as observer:
        found = run_all(specs, reports=files, observers=[observer, first_failure], **options)
    for report, written in zip(found, files, strict=True):
        show(report, written, verbose=verbose, heading=len(found) > 1, quiet=quiet)
    if options["fail_fast"] and (sentence := first_failure.sentence(found)):
        click.echo(sentence)
    if len(found) > 1:
        click.echo(overview(found))
    context.exit(exit_code_of(found))


def _files_of(spec: Path, named: Mapping[str, Path], *, defaults: bool) -> dict[str, Path]:
    """Return the reports of a spec: those that every run writes, and the requested ones."""
    usual = {"junit": "junit.xml", "json": "results.json", "html": "report.html"} if defaults else {}
    given = {name: Path(str(path).replace(NAME, spec.stem)) for name, path in named.items()}
    return {name: REPORTS / spec.stem / file for name, file in usual.items()} | given
