"""`retspec calibrate`: limits from what a known-good setup shows."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from retspec.characters import one_line
from retspec.cli.options import Planning, SpecFile, examples, planning_options, seeds_option, verbose_option
from retspec.cli.progress import watching
from retspec.cli.rewriting import difference, require_unchanged, rewrite, validated
from retspec.cli.screen import say
from retspec.cli.tables import NOTHING, Columns, show_rows, shown
from retspec.errors import UsageError
from retspec.prepare import prepare
from retspec.records import EXIT_MET, EXIT_MISSED, EXIT_NO_VERDICT, Verdict
from retspec.report.live import folders_of, read_by, require_apart
from retspec.results.results_file import read_report
from retspec.review.calibration import FEWEST, CalibrationOptions, edited, propose, require_as_meant, seeds_for
from retspec.review.recorded import judge_again
from retspec.running import run
from retspec.spec.load.spec_file import read
from retspec.text.wording import ends, readable, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retspec.records import Observed, Plan, Report, Value
    from retspec.review.calibration import Proposal

COLUMNS = Columns(
    ("criterion", "old", "observed", "new", "left alone because"),
    left_out=(4, 2, 1),
    wraps={2: 12, 3: 10, 4: 20},
    widest={4: 56},
)


def _chance(_context: click.Context, _parameter: click.Parameter, percentage: str | None) -> Decimal | None:
    """Return a percentage as a share above 0 and below 1; None without one."""
    share = None if percentage is None else _share(_context, _parameter, percentage)
    if share == 0:
        raise click.BadParameter("no limit is missed in 0% of all cases; write a chance such as 1%")
    return share


def _share(_context: click.Context, _parameter: click.Parameter, percentage: str) -> Decimal:
    """Return a percentage as a share from 0 to below 1."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,9})?%", percentage):
        raise click.BadParameter(f"{percentage!r} is none; write a percentage below 100%, such as 20%")
    return Decimal(percentage[:-1]) / 100


def calibration_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--margin`, `--false-alarm`, `--loosen` and `--all`; together they are `calibration`."""
    names = ("margin", "false_alarm", "loosen", "everything")

    @wraps(function)
    def merged(*args: Any, **options: Any) -> None:
        calibration = CalibrationOptions(**{name: options.pop(name) for name in names})
        function(*args, calibration=calibration, **options)

    alarm = click.option(
        "--false-alarm",
        callback=_chance,
        metavar="PERCENT",
        help="Instead of a margin, the chance with which a setup as good as this one may miss a limit under one seed, "
        "such as 1%; needs --seeds.",
    )

    room = click.option(
        "--margin",
        callback=_share,
        metavar="PERCENT",
        default="20%",
        help="Room between the observed value and the limit; 20% by default.",
    )
    loosen = click.option("--loosen", is_flag=True, help="Let a limit become less strict, or an exact one change.")
    everything = click.option(
        "--all", "everything", is_flag=True, help="Also write limits for criteria that use the default of their check."
    )
    return room(alarm(loosen(everything(merged))))


@click.command(
    "calibrate",
    epilog=examples(
        "retspec calibrate specs/lora_preflight.yaml --dry-run",
        "retspec calibrate specs/lora_preflight.yaml --seeds 10 --false-alarm 1%",
        "retspec calibrate specs/lora_preflight.yaml --results reports/lora_preflight/results.json --margin 50%",
    ),
)
@click.argument("spec", type=SpecFile())
@calibration_options
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Use the observations of a recorded run; measure nothing.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of overwriting SPEC."
)
@planning_options
@seeds_option
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    calibration: CalibrationOptions,
    results: Path | None,
    output: Path | None,
    *,
    dry_run: bool,
    **options: Unpack[Planning],
) -> None:
    """Write limits from what a known-good setup shows.

    Runs SPEC and moves each limit that is looser than what was observed and a margin: up to 20% above it where the
    check says at most, down to 20% below it where it says at least, rounded away from it to two digits. Of an interval,
    the worse end counts, and the limit is written with `judge: bound`. Only limits change in the file, where they are
    written; comments, order and spelling stay. References such as ${vars.x} are
    left alone, and so is what has no verdict (exit code 3) or is missed (1). The new spec is validated before it
    takes the place of the old one.

    With --seeds K, what depends on the seed is measured under K seeds, and a limit is as far from the worst of them.
    With --false-alarm, it is the one-sided normal tolerance limit of the K values, at 95% confidence, or the worst of
    them where K is large enough to do without a distribution. Each limit gets its chance as a comment.
    """
    require_apart([output] if output else [], [results])
    text = read(str(spec))
    plan, catalog = prepare(spec, **options)
    if calibration.false_alarm is not None and results is None and plan.spec.run.seed_count < FEWEST:
        raise UsageError(f"--false-alarm needs --seeds {FEWEST} at least: one value says nothing about its noise")
    if output:
        require_apart([output], [catalog.named, read_by(replace(plan.spec, file=""))], folders_of([plan]))
    report = _observe(spec, plan, results, options)
    require_unchanged(spec, text)
    _require_sound(report, context)
    seeds = max((len(result.seeds.each) for result in report.results if result.seeds), default=1)
    if calibration.false_alarm is not None and seeds < FEWEST:
        raise UsageError(f"--false-alarm needs observations under {FEWEST} seeds at least; nothing here has them")
    proposals = propose(report.results, catalog, text, calibration, plan.spec.run.dtype or "float32")
    show_rows(COLUMNS, [*map(_row, proposals)], err=dry_run)
    for line in _chances(proposals, calibration, seeds):
        say(line, err=dry_run)
    new, target = edited(text, proposals), output or spec
    require_as_meant(plan.spec, validated(new, target, options), proposals)
    if dry_run:
        click.echo(difference(text, new, spec, target), nl=False)
    else:
        _write(new, spec, target, proposals)
    context.exit(_exit_code(proposals))


def _observe(spec: Path, plan: Plan, results: Path | None, options: Planning) -> Report:
    """Return the report of a new run, or the recorded one."""
    if results is not None:
        return judge_again([plan], read_report(results))
    with watching(sys.stderr) as observer:
        return run(spec, observers=[observer], **options)


def _require_sound(report: Report, context: click.Context) -> None:
    """Exit if the run itself went wrong: no limit may depend on it."""
    for trouble in troubles(report):
        say(f"run: {one_line(trouble)}; nothing is written", err=True)
    if report.interrupted or report.faults:
        context.exit(report.exit_code)


def _write(text: str, spec: Path, target: Path, proposals: Sequence[Proposal]) -> None:
    """Write the new spec unless nothing changed, and print what was done."""
    changed = [proposal for proposal in proposals if proposal.new is not None]
    if not changed and target == spec:
        say(f"{spec}: no limit changed")
        return
    rewrite(text, spec, target)
    say(f"{target}: {len(changed)} {'limit' if len(changed) == 1 else 'limits'} changed")


def _row(proposal: Proposal) -> tuple[str, ...]:
    criterion, observed = proposal.result.criterion, proposal.result.observed
    return (
        criterion.id,
        shown(criterion.limit),
        NOTHING if observed is None else _seen(observed, criterion.limit),
        f"{proposal.text}, by the bound" if proposal.judge else proposal.text or NOTHING,
        one_line(proposal.reason),
    )


def _chances(proposals: Sequence[Proposal], calibration: CalibrationOptions, seeds: int) -> Iterator[str]:
    """Yield the chance of a false alarm of each new limit, and what it takes to know it without a distribution."""
    for proposal in proposals:
        if proposal.chance:
            yield f"{proposal.result.criterion.id}: {proposal.chance}"
    share = calibration.false_alarm
    if share is not None and seeds < (needed := seeds_for(share)) and any(each.chance for each in proposals):
        yield (
            f"these chances hold for values that are normal; without that, {float(100 * share):g}% takes {needed:,} "
            f"seeds, and there are {seeds}"
        )


def _seen(observed: Observed[Value], limit: Value | None) -> str:
    """Return what was observed; with an interval, its ends and what it is from."""
    text = readable(observed.value, beside=limit) + ends(observed)
    return f"{text}, {observed.interval.units}" if observed.interval else text


def _exit_code(proposals: Sequence[Proposal]) -> int:
    """Return 1 if a limit is still missed, 3 if a criterion has no verdict, else 0."""
    verdicts = {proposal.result.verdict for proposal in proposals if proposal.new is None}
    if Verdict.MISSED in verdicts:
        return EXIT_MISSED
    return EXIT_MET if all(verdict.is_decided for verdict in verdicts) else EXIT_NO_VERDICT
