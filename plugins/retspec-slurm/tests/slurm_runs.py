"""Runs of `retspec` in front of a cluster: specs of cheap criteria that leave a trace, and what came of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retspec.results.results_file import read_report
from slurm_cluster import wait_until

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
COUNTED = ROOT / "tests" / "cluster" / "counted.py"
PATHS = f"{ROOT}:{HERE.parent / 'src'}"
"""Where Python finds retspec and the plugin, here and on the nodes."""


@dataclass(frozen=True)
class Front:
    """A folder with a spec, in which `retspec run` is started."""

    folder: Path

    def write(self, criteria: dict[str, float], *, logs: str = "", **sections: Any) -> None:
        """Write a spec; criteria: how many seconds each takes. logs: how the paths of their logs begin."""
        logs = logs or f"{self.folder}/"
        checks = {
            name: {"check": "turns", "limit": 1, "with": {"log": f"{logs}{name}", "seconds": seconds}}
            for name, seconds in criteria.items()
        }
        spec = {"retspec": 1, "plugins": ["retspec_slurm", str(COUNTED)], **sections, "checks": checks}
        (self.folder / "spec.yaml").write_text(json.dumps(spec))  # JSON is YAML

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a run."""
        return subprocess.Popen(
            [sys.executable, "-m", "retspec", "run", "spec.yaml", "--executor", "slurm", *options],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": PATHS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_hear_signals,  # noqa: PLW1509 - no threads here
        )

    def run(self, *options: str) -> tuple[int, str]:
        """Run; return the exit code, and what was printed."""
        process = self.start(*options)
        output, _ = process.communicate(timeout=180)
        return process.returncode, output

    @property
    def results(self) -> Any:
        """The results of the last run."""
        return results_in(self.folder / "reports/spec/results.json")

    @property
    def verdicts(self) -> dict[str, tuple[str, str]]:
        """The verdict of each criterion, with its cell in front, and its reason."""
        report = read_report(self.folder / "reports/spec/results.json")
        return {
            f"{part.cell} {result.criterion.id}".strip(): (result.verdict.value, result.reason)
            for part in report.parts
            for result in part.results
        }

    def lines(self, name: str) -> int:
        """Return how often a criterion was measured."""
        log = self.folder / name
        return len(log.read_text().splitlines()) if log.exists() else 0

    def wait_for(self, name: str, lines: int = 1) -> None:
        """Wait until a criterion is being measured."""
        wait_until(lambda: self.lines(name) == lines, f"{name} to be measured")


def results_in(path: Path) -> Any:
    """Return results without times, and without what says on which machine and by which options."""
    return json.loads(path.read_text(), object_hook=_without_times)


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Read what a run prints until a line begins with a text; raises AssertionError if none does."""
    assert process.stdout
    assert any(line.startswith(text) for line in process.stdout)


def _hear_signals() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _without_times(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in {"seconds", "started", "hostname", "asked"}}
