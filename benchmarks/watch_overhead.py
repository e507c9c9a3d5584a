"""What watching a training costs: CPU time of its steps under `retspec watch`, against those of the bare script."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import click
from measuring import ROOT, Bound, Command, conclude, cost_of, python, retspec
from watched_loop import BATCH, MODELS

BAR = 1.05
"""Of the larger model; one of two blocks has next to no work between two hooks."""
LARGE = "ViT-S/16"
SCRIPT = str(ROOT / "benchmarks" / "watched_loop.py")


@click.command(help=__doc__)
@click.option("--pairs", type=click.IntRange(min=1), default=5, show_default=True, help="Bare and watched runs each.")
@click.option("--steps", type=click.IntRange(min=2), default=50, show_default=True, help="Optimizer steps.")
@click.option(
    "--model", "models", type=click.Choice([*MODELS]), multiple=True, default=[*MODELS], help="All by default."
)
def main(pairs: int, steps: int, models: tuple[str, ...]) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    rows, ratios = [], {}
    for model in models:
        costs = [_pair(model, steps, watched_first=bool(turn % 2)) for turn in range(pairs)]
        each = [watched / bare for bare, watched in costs]
        ratios[model] = median(each)
        side = MODELS[model]["img_size"]
        seconds = [median(column) for column in zip(*costs, strict=True)]
        rows.append((f"{model}, {BATCH} x {side} px", *seconds, ratios[model], min(each), max(each)))
    conclude(
        rows,
        [f"{steps} steps of", "bare, CPU s", "watched, CPU s", "ratio, median", "least", "most"],
        [
            Bound(f"CPU time of watched steps / bare ones, {name}", ratios[name], BAR)
            for name in ratios
            if name == LARGE
        ],
    )


def _pair(model: str, steps: int, *, watched_first: bool) -> tuple[float, float]:
    """Return the CPU seconds of the steps of a bare run and of a watched one, right after each other."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in ("bare", "watched")}
        scripts = {name: python(SCRIPT, model, str(steps), str(file)) for name, file in files.items()}
        commands: dict[str, Command] = {
            "bare": scripts["bare"],
            "watched": retspec("watch", "--steps", str(steps), "--", *scripts["watched"]),
        }
        for name in sorted(commands, reverse=watched_first):
            cost_of(commands[name])
        return float(files["bare"].read_text()), float(files["watched"].read_text())


if __name__ == "__main__":
    main()
