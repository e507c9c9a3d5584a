"""What the first `retspec run` of seven criteria costs, against seven tests by hand, each with a model of its own."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

import click
from measuring import Bound, conclude, interleaved, median_ratio, python, retspec

HERE = Path(__file__).parent
SUITE, SPEC = str(HERE / "seven_tests.py"), str(HERE / "seven_checks.yaml")
WHOLE = "train.min_steps=20"
"""Takes every step. The spec itself ends the training as soon as the loss has halved, after five steps at least."""
BARS = {"vit_small_patch16_224": (1.45, 2.5), "vit_large_patch16_224": (1.4, 3.0)}
"""Times faster than the suite: with every step, and with early decision."""


@click.command(help=__doc__)
@click.option("--large", is_flag=True, help="ViT-L/16 instead of ViT-S/16: about a quarter of an hour on two cores.")
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="Rounds to take medians over.")
def main(rounds: int, *, large: bool) -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    os.environ["MODEL"] = model = "vit_large_patch16_224" if large else "vit_small_patch16_224"
    options = ["--device", "cpu", "--no-reports", "--set", f"model.timm={model}"]
    suite, whole, early = "seven tests", "retspec run", "retspec run, early decision"
    commands = {
        suite: python("-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", SUITE),
        whole: retspec("run", SPEC, *options, "--set", WHOLE),
        early: retspec("run", SPEC, *options),
    }
    costs = interleaved(commands, rounds)
    seconds = {name: [cost.cpu for cost in values] for name, values in costs.items()}
    ratios = {name: median_ratio(values, seconds[suite]) for name, values in seconds.items()}
    wall = {name: median(cost.wall for cost in values) for name, values in costs.items()}
    conclude(
        [(name, median(values), 1 / ratios[name], wall[name]) for name, values in seconds.items()],
        [model, "CPU s", "times faster", "wall s"],
        [
            Bound(f"CPU time of {name} / that of the suite", ratios[name], 1 / bar)
            for name, bar in zip((whole, early), BARS[model], strict=True)
        ],
    )


if __name__ == "__main__":
    main()
