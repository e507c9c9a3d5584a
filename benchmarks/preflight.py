"""What `retspec run` costs, against the same training and merge comparison in a plain loop.

Each runs in its own process. The command line's own process counts too, for time; the memory is that of the
largest process, the worker. The real thing, vit_large_patch16_224, takes about ten minutes on two cores.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
from measuring import SPEC, Bound, Command, conclude, interleaved, median_ratio, python, retspec

MEMORY_BAR = 1.10
TIME_BAR = 1.05
PLAIN = str(Path(__file__).with_name("plain_loop.py"))
RANKS = (4, 8, 16, 32)


class Blocks(NamedTuple):
    """What the limits of the spec follow from: how many blocks a vision transformer has, and how wide they are."""

    number: int
    width: int


MODELS = {
    "vit_small_patch16_224": Blocks(12, 384),
    "vit_base_patch16_224": Blocks(12, 768),
    "vit_large_patch16_224": Blocks(24, 1024),
}


def run_on(model: str, *others: str) -> Command:
    """Return the command that runs lora_preflight.yaml on a model, with limits fitted to it.

    others: more overrides, as `path=value`.
    """
    blocks = MODELS[model]
    ranks = ", ".join(f"{rank}: {blocks.number * 4 * blocks.width * rank}" for rank in RANKS)
    overrides = {"model.timm": model, "checks.lora_layers": blocks.number, "checks.rank_params": f"{{{ranks}}}"}
    given = [*(f"{path}={value}" for path, value in overrides.items()), *others]
    settings = [part for each in given for part in ("--set", each)]
    return retspec("run", SPEC, "--device", "cpu", "--no-reports", *settings)


@click.command(help=__doc__)
@click.option("--model", type=click.Choice([*MODELS]), default="vit_base_patch16_224", show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="Rounds to take medians over.")
@click.option("--steps", type=click.IntRange(min=3), default=20, show_default=True, help="Optimizer steps of both.")
def main(model: str, rounds: int, steps: int) -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    # Whether a few steps bring the loss down is not the question here.
    others = [f"train.steps={steps}", f"train.min_steps={steps}", "checks.loss_drop=-9"]
    costs = interleaved({"plain loop": python(PLAIN, model, str(steps)), "retspec run": run_on(model, *others)}, rounds)
    plain, ours = costs["plain loop"], costs["retspec run"]
    conclude(
        [(name, median(c.peak for c in values), median(c.cpu for c in values)) for name, values in costs.items()],
        [f"{model}, {steps} steps", "peak MB", "CPU s"],
        [
            Bound("peak memory", median_ratio([c.peak for c in ours], [c.peak for c in plain]), MEMORY_BAR),
            Bound("CPU time", median_ratio([c.cpu for c in ours], [c.cpu for c in plain]), TIME_BAR),
        ],
    )


if __name__ == "__main__":
    main()
