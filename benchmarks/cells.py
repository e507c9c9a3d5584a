"""What more cells of a matrix cost: 1, 4 and 16 ranks of one base model, trained for a few steps each."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import click
from measuring import Bound, Command, conclude, interleaved, retspec

BAR = 1.05
COUNTS = (1, 4, 16)
SPEC = """\
retspec: 1
matrix: {{model.lora.r: {ranks}}}
model:
  timm: {model}
  kwargs: {{num_classes: 5, global_pool: avg}}
  lora: {{r: 8, alpha: 32, target_modules: [qkv], modules_to_save: [head]}}
data: {{synthetic: {{batch_size: 2}}}}
train: {{steps: 3, optimizer: adamw, lr: 1e-3}}
run: {{device: cpu}}
checks: {{nonfinite_steps: 0, merge_atol: 1e-4}}
"""


@click.command(help=__doc__)
@click.option("--model", default="vit_base_patch16_224", show_default=True, help="A timm ViT.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds to take medians over.")
def main(model: str, rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        commands = {str(count): _command(Path(folder), model, count) for count in COUNTS}
        costs = interleaved(commands, rounds)
    seconds = {name: median(cost.cpu for cost in values) for name, values in costs.items()}
    # The cost of a cell's passes is a twelfth of the difference of 16 and 4 cells; the rest is startup and base model.
    passes = (seconds["16"] - seconds["4"]) / 12
    conclude(
        [(name, count_seconds, count_seconds / seconds["1"]) for name, count_seconds in seconds.items()],
        ["cells", "CPU s", "ratio"],
        [Bound("CPU time of 4 cells / (one cell + 3 x its passes)", seconds["4"] / (seconds["1"] + 3 * passes), BAR)],
    )


def _command(folder: Path, model: str, count: int) -> Command:
    path = folder / f"{count}.yaml"
    path.write_text(SPEC.format(model=model, ranks=[*range(2, 2 + count)]))
    return retspec("run", str(path), "--no-reports")


if __name__ == "__main__":
    main()
