"""`retspec prove`: plant faults, and show which criteria notice them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click
import msgspec

from retspec.characters import one_line
from retspec.cli import proof_table
from retspec.cli.options import Planning, SpecFile, cell_option, examples, planning_options, verbose_option
from retspec.cli.suggesting import Suggesting, say_search, suggestion_options, write_suggestion
from retspec.cli.tables import Columns, format_option, show_json, show_rows
from retspec.errors import UsageError
from retspec.prepare import prepare_cells
from retspec.proving import Proving, faults_of, flips, prove, suggest
from retspec.records import EXIT_MET, EXIT_MISSED, EXIT_NO_VERDICT, Duration, Tried, seconds
from retspec.report.kept import folders_for
from retspec.report.live import folders_of, read_by, require_apart, write_whole
from retspec.results.badge import badge
from retspec.subjects.devices import cores
from retspec.text.fitting import screen_width
from retspec.text.wording import duration, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan, Proof, Trial


class Budget(click.ParamType):  # type: ignore[type-arg] # older versions of click have no argument there
    """A duration with its unit, as in a spec, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; a usage error for anything else."""
        try:
            return seconds(msgspec.convert(value, Duration))
        except msgspec.ValidationError:
            self.fail(f"{value!r} is not a duration; write a number and its unit: 90s, 10m, 1h", param, ctx)


@click.command(
    "prove",
    epilog=examples(
        "retspec prove specs/lora_preflight.yaml",
        "retspec prove specs/lora_preflight.yaml --fault rate_zero --fault adapter_frozen",
        "retspec prove specs/lora_preflight.yaml --budget 10m --min-noticed 0.9",
        "retspec prove specs/lora_preflight.yaml --suggest --dry-run",
        "retspec prove specs/lora_preflight.yaml --aa 20",
    ),
)
@click.argument("spec", type=SpecFile())
@cell_option
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="Plant this fault only; `--list` shows all. Repeatable."
)
@click.option("--list", "is_listing", is_flag=True, help="List the faults, and plant none.")
@click.option(
    "--budget",
    type=Budget(),
    metavar="TIME",
    help="Begin no other fault after this time, such as 10m; likely ones first.",
)
@click.option(
    "--aa",
    "runs",
    type=click.IntRange(min=2),
    metavar="N",
    help="Also run the subject N times as it is, and count what flips.",
)
@click.option(
    "--min-noticed",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with 1 if a smaller share of the planted faults is noticed, or if anything flips.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many faults are tried at a time.",
)
@click.option(
    "--badge",
    "badge_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write the score for a shields.io endpoint badge.",
)
@click.option(
    "--no-reports", "writes", is_flag=True, flag_value=False, default=True, help="Do not write reports/NAME/proof.json."
)
@suggestion_options
@planning_options
@format_option
@verbose_option
@click.pass_context
def command(  # noqa: PLR0913 - one for each option
    context: click.Context,
    spec: Path,
    *,
    cells: tuple[str, ...],
    faults: tuple[str, ...],
    budget: float | None,
    runs: int | None,
    min_noticed: float | None,
    jobs: int,
    badge_path: Path | None,
    suggesting: Suggesting,
    form: str,
    is_listing: bool,
    writes: bool,
    **options: Unpack[Planning],
) -> None:
    """Plant faults, and show which criteria notice them.

    Measures the subject of SPEC as it is, then with one fault after another: what people do wrong to a model,
    its adapter, its training, its data. Shows the matrix of faults and criteria, the faults that no criterion
    notices with the checks that would, and the criteria that no fault turned red with limits that would have.
    Only faults that the subject can have are planted, and only criteria that they may touch are measured again.

    Writes reports/NAME/proof.json, which the next reports of the spec show.

    With `--suggest`, also writes checks at the end of `checks:` in SPEC for faults that no criterion notices. Each has
    its default limit, or a measured one, and was seen to be missed with the fault and met without it. The new spec is
    validated before it takes the place of the old one; with `--dry-run`, nothing at all is written.
    """
    suggesting.require_sense(options)
    plans, catalog = prepare_cells(spec, cells=cells, **options)
    if is_listing:
        _list(catalog)
        return
    block = suggesting.block(plans)
    plan = _planned(spec, plans)
    writes, badge_path = (False, None) if suggesting.dry_run else (writes, badge_path)
    destination = folders_for([spec])[0].proof if writes else None
    paths = [path for path in (destination, badge_path, suggesting.output) if path is not None]
    require_apart(paths, [catalog.named, read_by(plan.spec)], folders_of([plan]))
    plan = plan if jobs == 1 or plan.spec.run.threads else plan.with_run(threads=max(1, cores() // jobs))
    proof = prove(plan, catalog, Proving(faults, float("inf") if budget is None else budget, lanes=jobs, say=_say))
    if runs:
        proof = replace(proof, flips=flips(plan, catalog, runs, lambda number: _say_run(number, runs)))
    _show(proof, form, err=suggesting.dry_run)
    if destination is not None:
        write_whole(destination, msgspec.json.format(msgspec.json.encode(proof)) + b"\n", "proof")
    if badge_path is not None:
        write_whole(badge_path, badge(proof), "badge")
    if block is not None:
        say_search(proof)
        suggestion = suggest(plan, catalog, proof.unnoticed, taken=block.names, lanes=jobs)
        write_suggestion(suggesting, block, suggestion, (plan.spec, catalog), options)
    context.exit(_exit_code(proof, min_noticed))


def _planned(spec: Path, plans: Sequence[Plan]) -> Plan:
    """Return the plan to prove; raises UsageError for a matrix of which not one cell is chosen."""
    if len(plans) > 1:
        names = listing([plan.spec.cell for plan in plans])
        raise UsageError(f"{spec} has {len(plans)} cells, and one at a time is proven; choose it by --cell: {names}")
    if plans[0].spec.run.fault:
        raise UsageError(f"{spec} plants {plans[0].spec.run.fault!r} already; leave `run.fault` out")
    return plans[0].with_run(seed_count=1)


def _list(catalog: Catalog) -> None:
    rows = [
        (fault.name, fault.stands_for, fault.frequency.name.lower(), ", ".join(fault.noticed_by))
        for fault in faults_of(catalog, ())
    ]
    show_rows(Columns(("fault", "stands for", "seen", "noticed by"), left_out=(2, 3), untold=(2,), wraps={1: 30}), rows)


def _say(trial: Trial) -> None:
    """Say what came of a fault, while others are still to come."""
    if trial.tried is not Tried.PLANTED:
        said = f"{trial.tried.value}: {trial.reason}"
    elif not trial.is_noticed:
        said = "not noticed"
    else:
        said = f"noticed by {listing(trial.noticed_by)}"
    click.echo(one_line(f"{trial.fault}: {said} ({duration(trial.seconds)})"), err=True)


def _say_run(number: int, runs: int) -> None:
    click.echo(f"run {number} of {runs} without a fault", err=True)


def _show(proof: Proof, form: str, *, err: bool) -> None:
    if form == "json":
        show_json(proof, err=err)
        return
    width = screen_width(sys.stderr if err else sys.stdout)
    shown = proof_table.markdown(proof) if form == "markdown" else proof_table.lines(proof, width)
    click.echo("\n".join(shown), err=err)


def _exit_code(proof: Proof, least: float | None) -> int:
    """Return 3 if no fault was planted, 1 if the score is not what was asked for, else 0."""
    if not proof.planted:
        return EXIT_NO_VERDICT
    flipped = proof.flips is not None and proof.flips.flipped
    return EXIT_MISSED if least is not None and (proof.share < least or flipped) else EXIT_MET
