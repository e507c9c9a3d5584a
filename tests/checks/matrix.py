"""The grid of planted faults and criteria: `python -m tests.checks.matrix` prints it and writes `docs/faults.md`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from retspec.plugins.catalog import gather
from tests.checks.faults import FAULTS
from tests.checks.planting import SPECS, Cell, Fault, criteria
from tests.checks.test_cases import MEASURES_TIME
from tests.distributed.planting import DEATHS
from tests.distributed.planting import FAULTS as RANK_FAULTS
from tests.loop.planting import FAULTS as LOOP_FAULTS
from tests.predictions.compared import FAULTS as COMPARED_FAULTS
from tests.predictions.planting import FAULTS as PREDICTION_FAULTS
from tests.proving.planting import ROWS as PROVED_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SYMBOLS = {Cell.MET: "·", Cell.MISSED: "✗", Cell.UNDECIDED: "?", Cell.SKIPPED: " "}
HEAD = """# Which fault turns which criterion red

**What this page does not show.** Faults in resume and evaluation code, in hardware, or anything that happens after the
first steps: [What it does not see](limits.md). In all grids but those [of a loop](#by-fault-of-a-loop),
[of several ranks](#by-fault-of-several-ranks) and [of predictions](#by-fault-of-predictions) retspec trains with its
own loop. Rows marked as *a training loop's fault* imitate one inside a model or a loss, to show that the criteria would
notice its effect; planted in your own loop, those criteria would not meet it.

Each row is a test: the fault is planted in a tiny model, its recipe or its checkpoint, all criteria of
`tests/cases/preflight/full.yaml` or `tests/cases/preflight/checkpoint.yaml` run, and exactly this comes of them: `✗`
missed, `·` met, `?` no verdict, because nothing can be said about it under this fault (never green), blank: left out,
because it does not fit this model or swings too far to be stated. No observation of learning or numerics lies within
15 % of its limit. This page is generated: `python -m tests.checks.matrix`.

A row that ends in a name in brackets, such as (`adapter_frozen`), is planted by the fault of that name, as
`retspec prove` plants it into your own subject. `retspec run --set run.fault=adapter_frozen` does so in one run. The
other faults are written for the tests alone.
"""

LOOP_HEAD = """
## By fault of a loop

Each fault is planted in a small training script by a change of its text. The script is started unchanged otherwise, as
`train: {script: train.py}` does it, and all criteria of `tests/loop/healthy.yaml` are judged: none but these is missed.
"""

PREDICTIONS_HEAD = """
## By fault of predictions

Each fault is one of a table of predictions: two eyes of 400 patients in each of two splits, five grades, probabilities
that are calibrated. All criteria of `tests/predictions/healthy.yaml` are judged: none but these is missed.
"""

PROVED_HEAD = """
## By fault of a dataset or of predictions

These too are planted as `retspec prove` plants them: into a small dataset of 18 patients, and into the healthy table of
the grid above. All criteria of the spec are judged: none but these is missed. No file is changed.
"""

COMPARED_HEAD = """
## By fault of predictions beside others, of values, labels and masks

All criteria of the spec are judged: none but these is missed.
"""

RANKS_HEAD = """
## By fault of several ranks

Each fault is one of a small training with DistributedDataParallel, which `train: {script: train.py, ranks: 2}` runs on
two processes, and all criteria of `tests/distributed/healthy.yaml` are judged: none but these is missed.
"""


def families() -> dict[str, list[str]]:
    """Return the criteria of the grid by the family of their check."""
    checks = gather(entry_points=False).checks
    found: dict[str, list[str]] = {}
    for spec in SPECS:
        for name in criteria(spec):
            found.setdefault(checks[name].family, []).append(name)
    return found


def grid(names: list[str], head: Callable[[str], str]) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the faults that say something about these criteria."""
    rows = [
        [_named(fault), *(SYMBOLS[fault.cells[name]] for name in names)]
        for fault in FAULTS
        if fault.cells.keys() >= set(names)
    ]
    return ["fault", *map(head, names)], rows


def screen() -> str:
    """Return the grid for a terminal of 160 columns, one table per family, the heads written downwards."""
    tables = []
    for family, names in families().items():
        heads, rows = grid(names, head="\n".join)
        tables.append(f"{family}\n\n" + tabulate(rows, heads, tablefmt="plain"))
    return "\n\n".join(tables)


def render() -> str:
    """Return the page."""
    parts = [HEAD]
    for family, names in families().items():
        heads, rows = grid(names, head=lambda name: name.replace("_", "_<br>"))
        parts.append(f"\n## {family.capitalize()}\n\n{_markdown(heads, rows)}")
    by_fault = [_by_fault(), _by_fault_of_a_loop(), _by_fault_of_ranks(), _by_fault_of_predictions()]
    return "".join([*parts, *by_fault, _by_fault_of_files(), _by_fault_of_others(), _elsewhere()])


def _by_fault() -> str:
    rows = [(_named(fault), _listed(fault.missed), _listed(fault.undecided)) for fault in FAULTS]
    return "\n## By fault\n\n" + _markdown(["fault", "missed", "no verdict"], rows)


def _by_fault_of_a_loop() -> str:
    rows = [(fault.name, _listed(fault.missed.split()), _listed(fault.undecided.split())) for fault in LOOP_FAULTS]
    return f"{LOOP_HEAD}\n" + _markdown(["fault", "missed", "no verdict"], rows)


def _by_fault_of_ranks() -> str:
    faults = [*RANK_FAULTS, *DEATHS]
    rows = [(fault.name, _listed(fault.missed.split()), _listed(fault.undecided.split())) for fault in faults]
    return f"{RANKS_HEAD}\n" + _markdown(["fault", "missed", "no verdict"], rows)


def _by_fault_of_predictions() -> str:
    rows = [
        (fault.name, _listed(fault.missed.split()), _listed(fault.undecided.split())) for fault in PREDICTION_FAULTS
    ]
    return f"{PREDICTIONS_HEAD}\n" + _markdown(["fault", "missed", "no verdict"], rows)


def _by_fault_of_files() -> str:
    known = gather(entry_points=False).faults
    root = PAGE.parents[1]
    rows = [
        (
            f"{known[row.planted].stands_for.rstrip('.')} (`{row.planted}`)",
            f"`{row.spec.relative_to(root).as_posix()}`",
            _listed(row.missed),
            _listed(row.undecided),
        )
        for row in PROVED_ROWS
    ]
    return f"{PROVED_HEAD}\n" + _markdown(["fault", "spec", "missed", "no verdict"], rows)


def _by_fault_of_others() -> str:
    rows = [
        (fault.name, f"`{fault.spec.name}`", _listed(fault.missed.split()), _listed(fault.undecided.split()))
        for fault in COMPARED_FAULTS
    ]
    return f"{COMPARED_HEAD}\n" + _markdown(["fault", "spec in `tests/predictions/`", "missed", "no verdict"], rows)


def _elsewhere() -> str:
    """Name the checks that are in none of the specs, and where a fault turns each of them red."""
    rows = [
        (f"`{name}`", "tests/checks/test_timing.py" if name in MEASURES_TIME else f"tests/cases/checks/{name}/")
        for name in gather(entry_points=False).checks
        if not any(name in criteria(spec) for spec in SPECS)
    ]
    return "\n## Checks without a column\n\n" + _markdown(["check", "tested in"], rows)


def _markdown(heads: list[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table without padding, so that a new row changes no other line."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _named(fault: Fault) -> str:
    """Return the name of a row, with that of the fault that `retspec prove` plants."""
    return f"{fault.name} (`{fault.planted}`)" if fault.planted else fault.name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


if __name__ == "__main__":
    PAGE.write_text(render())
    print(screen())  # noqa: T201 - this is a command
