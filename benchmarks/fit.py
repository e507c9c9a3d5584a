"""What `retspec fit` costs for 12 configurations of a ViT-L/16, beyond importing the libraries that build the model."""

from __future__ import annotations

from statistics import median

import click
from measuring import SPEC, Bound, conclude, interleaved, python, retspec

BAR = 20.0
COMMANDS = {
    "import torch, timm, peft": python("-c", "import torch, timm, peft"),
    "retspec fit": retspec("fit", SPEC, "--memory", "24GB", "--batch-sizes", "2,4,8,16,32,64"),
}


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    costs = interleaved(COMMANDS, rounds, warm_up=1)
    beyond = [fit.cpu - imports.cpu for imports, fit in zip(*costs.values(), strict=True)]
    rows = [(name, median(cost.cpu for cost in values)) for name, values in costs.items()]
    conclude(
        [*rows, ("fit beyond imports", median(beyond))],
        ["command", "CPU s"],
        [Bound("CPU seconds of retspec fit", median(cost.cpu for cost in costs["retspec fit"]), BAR)],
    )


if __name__ == "__main__":
    main()
