"""What an answer of the light commands costs, against importing the libraries that any such program needs.

Beside it for scale: the interpreter alone, and `pytest --version`.
"""

from __future__ import annotations

from statistics import median

import click
from measuring import ROOT, SPEC, Bound, conclude, interleaved, median_ratio, python, retspec

BAR = 2.5
BAR_OF_SCHEMA = 3.0
"""`schema` also composes and prints what editors read."""
REFERENCE = "import click, pluggy, yaml, jsonschema"
SCALE = {"python -c pass": python("-c", "pass"), "pytest --version": python("-m", "pytest", "--version")}
RESULTS = str(ROOT / "tests" / "golden" / "results.json")
COMMANDS = {
    "--help": retspec("--help"),
    "validate": retspec("validate", SPEC),
    "checks": retspec("checks"),
    "schema": retspec("schema"),
    "plan": retspec("plan", SPEC),
    "show": retspec("show", SPEC),
    "diff": retspec("diff", SPEC, SPEC),
    "compare": retspec("compare", RESULTS, RESULTS),
    "plugins": retspec("plugins"),
    "init": retspec("init"),
    "completion": retspec("completion", "bash"),
}


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=7), default=9, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    costs = interleaved({REFERENCE: python("-c", REFERENCE), **SCALE, **COMMANDS}, rounds, warm_up=1)
    seconds = {name: [cost.cpu for cost in values] for name, values in costs.items()}
    references = (REFERENCE, *SCALE)
    conclude(
        [
            (name, 1000 * median(values), *(median_ratio(values, seconds[reference]) for reference in references))
            for name, values in seconds.items()
        ],
        ["command", "CPU ms", "/ imports", "/ python", "/ pytest"],
        [
            Bound(
                f"CPU time of retspec {name} / of imports",
                median_ratio(seconds[name], seconds[REFERENCE]),
                BAR_OF_SCHEMA if name == "schema" else BAR,
            )
            for name in COMMANDS
        ],
    )


if __name__ == "__main__":
    main()
