"""`retspec run`: run the checks of specs and write their reports."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.again import ready_run, watch
from retspec.cli.fail_fast import FirstFailure
from retspec.cli.options import (
    Planning,
    Settings,
    SpecFile,
    cell_option,
    examples,
    planning_options,
    seeds_option,
    verbose_option,
)
from retspec.cli.progress import watching
from retspec.cli.reporting import overview, report_options, show
from retspec.cli.screen import say
from retspec.errors import UsageError
from retspec.records import exit_code_of
from retspec.report.kept import Kept
from retspec.report.live import require_distinct
from retspec.running import run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.cli.again import ReadyRun
    from retspec.records import Report

NAME = "{name}"
"""The placeholder in the path of a report: the file name of its spec, without the ending."""


class Running(Planning):
    """The arguments of `retspec.running.run_all` besides the specs, the reports and the observers."""

    cells: tuple[str, ...]
    fail_fast: bool
    strict: bool
    jobs: int
    live_output: bool
    resume: bool


@click.command(
    "run",
    epilog=examples(
        "retspec run specs/lora_preflight.yaml",
        "retspec run specs/lora_preflight.yaml -k params -x",
        "retspec run specs/lora_preflight.yaml --device cpu --set model.lora.r=16",
        "retspec run specs/lora_preflight.yaml --seeds 5",
        "retspec run specs/lora_preflight.yaml --last-failed",
        "retspec run specs/lora_preflight.yaml --watch",
        "retspec run specs/rank_sweep.yaml --cell r=8",
        "retspec run specs/*.yaml --jobs 2 --junit-xml build/{name}.xml",
        "retspec run specs/lora_preflight.yaml --report markdown=summary.md",
        "retspec run specs/rank_sweep.yaml --executor slurm",
    ),
)
@click.argument("specs", nargs=-1, required=True, type=SpecFile(), metavar="SPEC...")
@cell_option
@planning_options
@seeds_option
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first criterion that is not met.")
@click.option(
    "--last-failed",
    "--lf",
    is_flag=True,
    help="Only criteria that were not met the last time that they were measured; all of them if that is none.",
)
@click.option("--strict", is_flag=True, help="Let a warning fail the run (exit code 1).")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many specs and cells are measured at a time; the cores are divided between them. With an executor other "
    "than local: how many tasks at least, where cells share a base model.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Take up the run of the same specs that ended early: measure only what it has not.",
)
@click.option(
    "-s",
    "--live-output",
    is_flag=True,
    help="Show what the code under test prints on stderr as it comes, and keep none of it.",
)
@click.option(
    "-w",
    "--watch",
    "is_watching",
    is_flag=True,
    help="Run again whenever the spec, its config, its data, plugins or your code change, until Ctrl-C.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what is not met, and the last line.")
@report_options
@click.option(
    "--no-reports", "defaults", is_flag=True, flag_value=False, default=True, help="Write only named reports."
)
@verbose_option
@click.pass_context
def command(  # noqa: PLR0913 - one for each option
    context: click.Context,
    specs: Sequence[Path],
    reports: dict[str, Path],
    *,
    defaults: bool,
    last_failed: bool,
    is_watching: bool,
    quiet: bool,
    **options: Unpack[Running],
) -> None:
    """Run the checks of specs and write their reports.

    Measures what the criteria of each SPEC need, each thing once, in a worker process; prints the verdicts;
    writes junit.xml, results.json and report.html to reports/NAME below the current directory, NAME being the
    spec's file name without its ending; {name} in the path of a report means the same. The reports are
    complete at every moment: criteria without a verdict yet are listed as not run.

    A run that leaves criteria or cells out writes to reports/NAME/partial. Another spec of the same file name
    gets a folder with a number.

    Specs and cells with the same model follow one another in one worker, which makes it once.
    """
    named = [{name: Path(str(path).replace(NAME, spec.stem)) for name, path in reports.items()} for spec in specs]
    settings = context.ensure_object(Settings)
    hint = f"; {NAME} in it is the file name of the spec, without the ending" if len(specs) > 1 else ""
    require_distinct([path for each in named for path in each.values()], hint=hint)
    if quiet and settings.verbose:
        raise UsageError("--quiet and --verbose exclude each other")
    ready = ready_run(live_output=options["live_output"])
    if is_watching and ready is None:
        context.exit(watch(settings.arguments, specs))
    if ready is not None:
        ready.wait()
    kept = Kept(specs, writes=defaults, last_failed=last_failed)
    with ready or nullcontext():
        found = _run(specs, named, kept, ready, settings, quiet=quiet, options=options)
    context.exit(exit_code_of(found))


def _run(  # noqa: PLR0913 - what the command was asked for
    specs: Sequence[Path],
    named: Sequence[dict[str, Path]],
    kept: Kept,
    ready: ReadyRun | None,
    settings: Settings,
    *,
    quiet: bool,
    options: Running,
) -> list[Report]:
    """Run the specs, and print and record what came of them."""
    first_failure = FirstFailure()
    with watching(sys.stderr, by_lines=options["live_output"], quiet=quiet) as observer:
        observers = [observer, first_failure] if ready is None else [observer, first_failure, ready]
        workers = None if ready is None else ready.workers
        found = run_all(specs, reports=named, kept=kept, observers=observers, workers=workers, **options)
    kept.remark(found)
    for report, written, remarks in zip(found, kept.written, kept.remarks, strict=True):
        show(report, written, verbose=settings.verbose, heading=len(found) > 1, quiet=quiet, remarks=remarks)
    if options["fail_fast"] and (sentence := first_failure.sentence(found)):
        say(sentence)
    if len(found) > 1:
        click.echo(overview(found))
    kept.record(found)
    return found
