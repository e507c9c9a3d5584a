"""What more criteria cost on one training: 1, 10 and 100 of them."""

from __future__ import annotations

import tempfile
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import click
from measuring import Bound, conclude, interleaved, median_ratio, retspec

BAR = 1.02
COUNTS = (1, 10, 100)
HEAD = """\
retspec: 1
model:
  timm: vit_small_patch16_224
  kwargs: {num_classes: 5, global_pool: avg}
  lora: {r: 8, alpha: 32, target_modules: [qkv], modules_to_save: [head]}
data: {synthetic: {batch_size: 4}}
train: {steps: 20, optimizer: adamw, lr: 1e-3}
run: {device: cpu}
checks:
"""
CHECKS = ("loss_drop: 0.5", "max_loss_rise: 0.1", "max_final_loss: 1", "initial_loss_rtol: 0.2", "nonfinite_steps: 0")
CHECKS += ("nonfinite_gradients: 0", "dead_gradients: 0", "max_grad_norm: 1e6", "unchanged_params: 0")
CHECKS += ("frozen_drift: 0",)


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        specs = {count: _written(Path(folder), count) for count in COUNTS}
        commands = {str(count): retspec("run", str(spec), "--no-reports") for count, spec in specs.items()}
        costs = interleaved(commands, rounds)
    seconds = {name: [cost.cpu for cost in values] for name, values in costs.items()}
    ratios = {name: median_ratio(values, seconds["1"]) for name, values in seconds.items()}
    conclude(
        [(name, median(seconds[name]), ratio) for name, ratio in ratios.items()],
        ["criteria", "CPU s", "ratio"],
        [Bound("CPU time of 100 criteria / that of one", ratios["100"], BAR)],
    )


def _written(folder: Path, count: int) -> Path:
    pairs = (check.split(": ") for check in islice(cycle(CHECKS), count))
    lines = [f"  c{number}: {{check: {name}, limit: {limit}}}\n" for number, (name, limit) in enumerate(pairs)]
    path = folder / f"{count}.yaml"
    path.write_text(HEAD + "".join(lines))
    return path


if __name__ == "__main__":
    main()
