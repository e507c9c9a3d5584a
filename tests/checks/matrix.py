"""Writes `docs/faults.md` from the planted faults: `python -m tests.checks.matrix`."""

from __future__ import annotations

from pathlib import Path

from tests.checks.faults import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """# Which fault turns which criterion red

Each row is a test: the fault is planted in a tiny model or its recipe, all criteria of
[`tests/cases/preflight/full.yaml`](../tests/cases/preflight/full.yaml) run, and exactly these are missed. A criterion
that has no verdict under a fault, because nothing can be said about it then, is not in the row. This page is generated:
`python -m tests.checks.matrix`.

| fault | missed |
|---|---|
"""


def render() -> str:
    """Return the page."""
    rows = [
        f"| {fault.name} | {', '.join(f'`{name}`' for name in sorted(fault.red)) or 'none'} |\n" for fault in FAULTS
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(render())
