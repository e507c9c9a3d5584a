"""Writes `docs/reliability.md` from the scenarios: `python -m tests.reliability.table`."""

from __future__ import annotations

import importlib
import pkgutil
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import tests.reliability.scenarios

if TYPE_CHECKING:
    from tests.reliability.scenario import Scenario

TABLE = Path(__file__).parents[2] / "docs" / "reliability.md"
COLUMNS = "| fault | what you see | on disk | exit code |\n|---|---|---|---|\n"
HEAD = """# What goes wrong, and what you see

Each row is a test: the fault is injected into a real run, and what is printed, left on disk and returned is held
against the row. *On disk* are `junit.xml` and `results.json`; both are whole and well-formed, and red unless the exit
code is 0.
This page is generated: `python -m tests.reliability.table`.
"""


def _gathered() -> list[Scenario]:
    package = tests.reliability.scenarios
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    return [scenario for name in names for scenario in importlib.import_module(name).SCENARIOS]


SCENARIOS = _gathered()


def render() -> str:
    """Return the page, one table per group."""
    parts = [HEAD]
    for group, scenarios in groupby(SCENARIOS, key=lambda scenario: scenario.group):
        rows = [f"| {_cell(s.fault)} | {_code(s.sees)} | {s.on_disk} | {s.exit_code} |\n" for s in scenarios]
        parts.append(
            f"\n## {group}\n\n| fault | what you see | on disk | exit code |\n|---|---|---|---|\n{''.join(rows)}"
        )
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    if not text:
        return "nothing"
    return f"`` {_cell(' '.join(text.split()))} ``" if "`" in text else f"`{_cell(' '.join(text.split()))}`"


if __name__ == "__main__":
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(render())
