"""What `--jobs` brings: the wall time of 4 cells, two at a time against one after another.

Each of the two workers imports the libraries and makes the base model for itself, on half of the cores.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import click
from measuring import Bound, conclude, interleaved, median_ratio, retspec

BAR = 1.0
SPEC = """\
retspec: 1
matrix: {{model.lora.r: [2, 4, 8, 16]}}
model:
  timm: {model}
  kwargs: {{num_classes: 5, global_pool: avg}}
  lora: {{r: 8, alpha: 32, target_modules: [qkv], modules_to_save: [head]}}
data: {{synthetic: {{batch_size: 4}}}}
train: {{steps: 10, optimizer: adamw, lr: 1e-3}}
run: {{device: cpu}}
checks: {{nonfinite_steps: 0, merge_atol: 1e-4}}
"""


@click.command(help=__doc__)
@click.option("--model", default="vit_small_patch16_224", show_default=True, help="A timm ViT.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds to take medians over.")
def main(model: str, rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "spec.yaml")
        spec.write_text(SPEC.format(model=model))
        names = {jobs: f"--jobs {jobs}" for jobs in (1, 2)}
        commands = {name: retspec("run", str(spec), "--no-reports", "--jobs", str(n)) for n, name in names.items()}
        costs = interleaved(commands, rounds)
    ratio = median_ratio([c.wall for c in costs[names[2]]], [c.wall for c in costs[names[1]]])
    conclude(
        [(name, median(c.wall for c in values), median(c.cpu for c in values)) for name, values in costs.items()],
        [f"4 cells of {model}", "wall s", "CPU s"],
        [Bound("wall time with --jobs 2 / one after another", ratio, BAR)],
    )


if __name__ == "__main__":
    main()
