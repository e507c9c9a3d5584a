"""`retspec run-task`: what a node of a cluster runs; not for people."""

from __future__ import annotations

from pathlib import Path

import click

from retspec.cluster.attempts import refuse_task
from retspec.cluster.node_run import NodeRun
from retspec.errors import RetspecError
from retspec.running import run_all


@click.command("run-task", hidden=True)
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_context
def command(context: click.Context, folder: Path) -> None:
    """Measure the task in FOLDER, and write the results there."""
    node = NodeRun(folder)
    if node.is_done:
        return
    task = node.assignment
    try:
        (report,) = run_all(
            [Path(task.spec)],
            cells=node.cells,
            overrides=task.overrides,
            plugins=task.plugins,
            entry_points=task.entry_points,
            reports=[{}],
            kept=node,
            here=True,
        )
    except RetspecError as error:
        refuse_task(node.attempt, str(error))
        raise
    context.exit(report.exit_code)
