"""What retspec itself costs per criterion, the reports on disk included: a thousand criteria that do nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click

ROOT = Path(__file__).resolve().parent.parent
BAR = 5.0
"""Milliseconds per criterion."""
PLUGIN = '''
from retspec.plugin import Check, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def nothing() -> int:
    """What does doing nothing cost?"""
    return 0

@hookimpl
def retspec_checks() -> list[Check]:
    return [nothing]
'''


@click.command(help=__doc__)
@click.option("--criteria", type=click.IntRange(min=2), default=1000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Rounds to take medians over.")
def main(criteria: int, rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    one, many = (median(_seconds(count) for _ in range(rounds)) for count in (1, criteria))
    each = 1000 * (many - one) / (criteria - 1)
    verdict = "met" if each <= BAR else "MISSED"
    print(f"1 criterion: {one:.2f} s; {criteria} criteria: {many:.2f} s (medians of {rounds})")
    print(f"milliseconds per criterion: {each:.2f}, bar {BAR:g}: {verdict}")
    sys.exit(each > BAR)


def _seconds(criteria: int) -> float:
    """Return the wall time of a run over that many criteria."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"  c{number}: {{check: nothing, limit: 0}}\n" for number in range(criteria)]
        Path(folder, "plugin.py").write_text(PLUGIN)
        Path(folder, "spec.yaml").write_text(f"retspec: 1\nplugins: [plugin.py]\nchecks:\n{''.join(lines)}")
        command = [sys.executable, "-m", "retspec", "run", "spec.yaml"]
        started = time.perf_counter()
        subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True
        )
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
