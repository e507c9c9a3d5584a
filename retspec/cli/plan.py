"""`retspec plan`: show what a run would do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import click

from retspec.cli.options import (
    Planning,
    SpecFile,
    cell_option,
    examples,
    planning_options,
    seeds_option,
    verbose_option,
)
from retspec.cli.tables import Columns, format_option, show_json, table_of
from retspec.prepare import prepare_cells
from retspec.text.fitting import screen_width, wrapped
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from retspec.records import MeasurementStep, Passes, Plan

COLUMNS = Columns(
    ("measurement", "cost", "forward", "backward", "for", "with"),
    left_out=(5, 1, 3, 2),
    wraps={4: 24, 5: 20},
    widest={4: 48, 5: 40},
    untold=(1,),
)


@click.command(
    "plan",
    epilog=examples("retspec plan specs/lora_preflight.yaml", "retspec plan specs/lora_preflight.yaml -k merge"),
)
@click.argument("spec", type=SpecFile())
@cell_option
@planning_options
@seeds_option
@format_option
@verbose_option
def command(spec: Path, cells: tuple[str, ...], form: str, **options: Unpack[Planning]) -> None:
    """Show what a run would measure, and for which criteria.

    One line per measurement in the order of the run, cheap before expensive: how many forward and backward passes
    of the real model it makes (the fewest and the most, where it may end early), which criteria wait for it, its
    arguments; a table for each cell of a matrix. The last line counts the passes under all seeds.
    Takes the selection options of run.
    """
    plans, _ = prepare_cells(spec, cells=cells, **options)
    if form == "json":
        show_json([_data(plan) for plan in plans])
    else:
        width = None if form == "markdown" else screen_width()
        click.echo("\n\n".join(shown_plan(plan, form, width) for plan in plans))


def _data(plan: Plan) -> dict[str, Any]:
    mask = Mask(plan.spec.secrets)
    return {
        "cell": plan.spec.cell,
        "measurements": [
            {
                "key": mask.text(step.key),
                "name": step.name,
                "cost": step.cost,
                "passes": _ranges(step.fewest_passes, step.passes),
                "criteria": step.criteria,
                "varies": step.varies,
                "arguments": mask.given(step.arguments),
            }
            for step in plan.measurements
        ],
        "passes": _ranges(plan.fewest_passes, plan.passes),
        **({"seeds": [each.spec.run.seed for each in plan.rounds]} if len(plan.rounds) > 1 else {}),
        "needs_weights": plan.needs_weights,
        **({"watched_steps": plan.watched_steps} if plan.watched_steps else {}),
        **({"predicted": plan.predicted} if plan.predicted else {}),
        "skipped": {criterion.id: mask.data(criterion.skip) for criterion in plan.skipped},
    }


def _ranges(fewest: Passes, most: Passes) -> dict[str, dict[str, int]]:
    pairs = {"forward": (fewest.forward, most.forward), "backward": (fewest.backward, most.backward)}
    if most.steps:
        pairs["steps"] = (fewest.steps, most.steps)
    return {name: {"fewest": low, "most": high} for name, (low, high) in pairs.items()}


def shown_plan(plan: Plan, form: str, width: int | None) -> str:
    """Return a plan as text, as wide as the screen or as Markdown."""
    mask = Mask(plan.spec.secrets)
    rows = [_row(step, mask, predicts=bool(plan.predicted)) for step in plan.measurements]
    heading = [f"{wrapped(f'cell {plan.spec.cell}', width)}\n"] if plan.spec.cell else []
    table = table_of(COLUMNS, rows, form, width)
    skipped = [f"skipped: {criterion.id} ({mask.data(criterion.skip)})" for criterion in plan.skipped]
    return "\n".join([*heading, table, "", *(wrapped(line, width) for line in (totals(plan), *skipped))])


def _row(step: MeasurementStep, mask: Mask, *, predicts: bool) -> list[str]:
    fewest, most = step.fewest_passes, step.passes
    forward = _range(fewest.forward, most.forward) if most.forward else "-"
    if predicts and step.name == "predictions":
        forward = "one per batch"
    backward = _range(fewest.backward, most.backward) if most.backward else "-"
    return [step.name, step.cost, forward, backward, ", ".join(step.criteria), _pairs(mask.given(step.arguments))]


def _range(fewest: int, most: int) -> str:
    return str(most) if fewest == most else f"{fewest}–{most}"  # noqa: RUF001 - a range of numbers


def _pairs(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())


def totals(plan: Plan) -> str:
    """Return the plan in one sentence."""
    weights = "the model gets its weights" if plan.needs_weights else "no weights are made"
    if plan.watched_steps:
        again = f", and runs again for at least {plan.passes.steps}" if plan.passes.steps else ""
        weights = f"your training is watched for {_count(plan.watched_steps, 'optimizer step')}{again}"
    measurements = _count(len(plan.measurements), "measurement")
    criteria = _count(len(plan.checks), "criterion", "criteria")
    fewest, most = plan.fewest_passes, plan.passes
    forward = f"{_range(fewest.forward, most.forward)} forward {'pass' if most.forward == 1 else 'passes'}"
    backward = _range(fewest.backward, most.backward)
    if plan.predicted:
        forward += f" plus one per batch of {' and '.join(plan.predicted)},"
    task = f"; the task is {plan.spec.train.task}" if plan.spec.train.task else ""
    return f"{measurements} for {criteria}{_seeds(plan)}: {forward} and {backward} backward; {weights}{task}"


def _seeds(plan: Plan) -> str:
    """Return how many measurements are made under how many seeds, as part of a sentence; empty with one seed."""
    if len(plan.rounds) == 1:
        return ""
    again = sum(step.varies for step in plan.measurements)
    return f", {again} of them under each of {len(plan.rounds)} seeds"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
