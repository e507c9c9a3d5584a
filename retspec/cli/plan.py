"""`retspec plan`: what a run would do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import click
from tabulate import tabulate

from retspec.cli.options import Planning, SpecFile, cell_option, examples, planning_options, verbose_option
from retspec.masking import Mask
from retspec.run import prepare_cells

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from retspec.records import MeasurementStep, Plan

HEADERS = ("measurement", "cost", "forward", "backward", "for", "with")
WIDTHS = (None, None, None, None, 48, 40)


@click.command(
    "plan",
    epilog=examples("retspec plan specs/lora_preflight.yaml", "retspec plan specs/lora_preflight.yaml -k merge"),
)
@click.argument("spec", type=SpecFile())
@cell_option
@planning_options
@verbose_option
def command(spec: Path, cells: tuple[str, ...], **options: Unpack[Planning]) -> None:
    """Show what a run would measure, and for whom.

    One line per measurement in the order of the run, cheap before dear: how many forward and backward passes
    of the real model it makes, which criteria wait for it, its arguments; a table for each cell of a matrix.
    Takes the selection options of run.
    """
    plans, _ = prepare_cells(spec, cells=cells, **options)
    click.echo("\n\n".join(map(_shown, plans)))


def _shown(plan: Plan) -> str:
    mask = Mask(plan.spec.secrets)
    rows = [_row(step, mask) for step in plan.measurements]
    heading = [f"cell {plan.spec.cell}\n"] if plan.spec.cell else []
    table = tabulate(rows, headers=HEADERS, disable_numparse=True, maxcolwidths=WIDTHS)
    skipped = [f"skipped: {criterion.id} ({mask.data(criterion.skip)})" for criterion in plan.skipped]
    return "\n".join([*heading, table, "", summary(plan), *skipped])


def _row(step: MeasurementStep, mask: Mask) -> list[str]:
    passes = (str(step.passes.forward or "-"), str(step.passes.backward or "-"))
    return [step.name, step.cost, *passes, ", ".join(step.criteria), _pairs(mask.given(step.arguments))]


def _pairs(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())


def summary(plan: Plan) -> str:
    """Return the plan in one sentence."""
    weights = "the model gets its weights" if plan.needs_weights else "no weights are made"
    measurements = _count(len(plan.measurements), "measurement")
    criteria = _count(len(plan.checks), "criterion", "criteria")
    forward = _count(plan.passes.forward, "forward pass", "forward passes")
    return f"{measurements} for {criteria}: {forward} and {plan.passes.backward} backward; {weights}"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
