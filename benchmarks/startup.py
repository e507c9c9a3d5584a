"""What an answer of the light commands costs, against importing the libraries that any such program needs.

Usage: python benchmarks/startup.py [--rounds N]
"""

from __future__ import annotations

import argparse
from statistics import median

from measuring import SPEC, Ratio, conclude, interleaved, median_ratio, python, retspec

BAR = 3.0
REFERENCE = "import click, pluggy, yaml, jsonschema"
COMMANDS = {
    "--help": retspec("--help"),
    "validate": retspec("validate", SPEC),
    "checks": retspec("checks"),
    "schema": retspec("schema"),
    "plan": retspec("plan", SPEC),
}


def main() -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="rounds to take medians over (9)")
    costs = interleaved({REFERENCE: python("-c", REFERENCE), **COMMANDS}, parser.parse_args().rounds)
    seconds = {name: [cost.cpu for cost in values] for name, values in costs.items()}
    ratios = {name: median_ratio(seconds[name], seconds[REFERENCE]) for name in seconds}
    conclude(
        [(name, 1000 * median(seconds[name]), ratios[name]) for name in seconds],
        ["command", "CPU ms", "ratio"],
        [Ratio(f"retspec {name}", ratios[name], BAR) for name in COMMANDS],
    )


if __name__ == "__main__":
    main()
