"""What `retspec run` costs, against the usual suite of the same criteria in which every test builds its own model."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

import click
from measuring import Bound, conclude, interleaved, median_ratio, python
from preflight import run_on

WHOLE = "train.min_steps=20"
"""Takes every step. The spec itself ends the training as soon as the loss has halved, after five steps at least."""
BAR = 1 / 3
SUITE = Path(__file__).with_name("one_test_one_model.py")


@click.command(help=__doc__)
@click.option("--large", is_flag=True, help="ViT-L/16 instead of ViT-S/16: about half an hour on two cores.")
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="Rounds to take medians over.")
def main(rounds: int, *, large: bool) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    os.environ["MODEL"] = model = "vit_large_patch16_224" if large else "vit_small_patch16_224"
    suite, whole, early = "one test, one model", "retspec run", "retspec run, early decision"
    commands = {
        suite: python("-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", str(SUITE)),
        whole: run_on(model, WHOLE),
        early: run_on(model),
    }
    costs = interleaved(commands, rounds)
    seconds = {name: [cost.cpu for cost in values] for name, values in costs.items()}
    ratios = {name: median_ratio(values, seconds[suite]) for name, values in seconds.items()}
    conclude(
        [(name, median(values), 1 / ratios[name]) for name, values in seconds.items()],
        [model, "CPU s", "times faster"],
        [Bound("CPU time with early decision / that of the suite", ratios[early], BAR)],
    )


if __name__ == "__main__":
    main()
