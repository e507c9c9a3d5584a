"""What `retspec validate` costs for 1, 20 and 200 specs in one call."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import click
from measuring import SPEC, Bound, conclude, interleaved, retspec

BAR = 2.0
COUNTS = (1, 20, 200)


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    text = Path(SPEC).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        specs = [Path(folder, f"{number}.yaml") for number in range(max(COUNTS))]
        for number, path in enumerate(specs):  # no two of them are the same file
            path.write_text(text.replace("loss_drop: 0.5", f"loss_drop: {0.5 + number / 1000}"), encoding="utf-8")
        commands = {str(count): retspec("validate", *map(str, specs[:count])) for count in COUNTS}
        costs = interleaved(commands, rounds, warm_up=1)
    seconds = {name: median(cost.cpu for cost in values) for name, values in costs.items()}
    conclude(
        [(name, value, 1000 * value / int(name)) for name, value in seconds.items()],
        ["specs", "CPU s", "ms each"],
        [Bound("CPU seconds of 200 specs", seconds["200"], BAR)],
    )


if __name__ == "__main__":
    main()
