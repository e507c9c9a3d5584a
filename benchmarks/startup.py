"""What an answer of the light commands costs, against importing the libraries that any such program needs."""

from __future__ import annotations

from statistics import median

import click
from measuring import SPEC, Bound, conclude, interleaved, median_ratio, python, retspec

BAR = 3.0
REFERENCE = "import click, pluggy, yaml, jsonschema"
COMMANDS = {
    "--help": retspec("--help"),
    "validate": retspec("validate", SPEC),
    "checks": retspec("checks"),
    "schema": retspec("schema"),
    "plan": retspec("plan", SPEC),
}


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=7), default=9, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    costs = interleaved({REFERENCE: python("-c", REFERENCE), **COMMANDS}, rounds, warm_up=1)
    seconds = {name: [cost.cpu for cost in values] for name, values in costs.items()}
    ratios = {name: median_ratio(seconds[name], seconds[REFERENCE]) for name in seconds}
    conclude(
        [(name, 1000 * median(seconds[name]), ratios[name]) for name in seconds],
        ["command", "CPU ms", "ratio"],
        [Bound(f"CPU time of retspec {name}", ratios[name], BAR) for name in COMMANDS],
    )


if __name__ == "__main__":
    main()
