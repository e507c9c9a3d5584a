"""What static checks of a ViT-L/16 cost the worker, beyond importing the libraries that build the model."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import click
from measuring import Bound, conclude, interleaved, python, retspec

BAR = 1.0
SPEC = str(Path(__file__).with_name("static.yaml"))
COMMANDS = {
    "import torch, timm, peft": python("-c", "import torch, timm, peft"),
    "retspec plan": retspec("plan", SPEC),  # what the command line itself costs, without a worker
    "retspec run": retspec("run", SPEC, "--no-reports"),
}


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    costs = interleaved(COMMANDS, rounds, warm_up=1)
    beyond = [run.cpu - plan.cpu - imports.cpu for imports, plan, run in zip(*costs.values(), strict=True)]
    rows = [(name, median(cost.cpu for cost in values)) for name, values in costs.items()]
    conclude(
        [*rows, ("worker beyond imports", median(beyond))],
        ["command", "CPU s"],
        [Bound("CPU seconds of the worker beyond imports", median(beyond), BAR)],
    )


if __name__ == "__main__":
    main()
