"""What the tests of clusters share: a spec of cheap criteria that leave a trace, and running it on the pool."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.results.results_file import read_report
from tests.signals import hear_signals

if TYPE_CHECKING:
    from retspec.records import Report

ROOT = Path(__file__).parents[2]
PLUGINS = [str(Path(__file__).with_name(name)) for name in ("pool.py", "counted.py")]


def spec_in(folder: Path, criteria: dict[str, dict[str, Any]], **sections: Any) -> Path:
    """Write a spec whose criteria each append a line to a log of their name when they are measured."""
    checks = {
        name: {"check": "turns", "limit": 1, "with": {"log": f"{folder}/{name}.log", **given}}
        for name, given in criteria.items()
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps({"retspec": 1, "plugins": PLUGINS, **sections, "checks": checks}))  # JSON is YAML
    return path


def start(spec: Path, *options: str) -> subprocess.Popen[str]:
    """Start `retspec run` in the folder of the spec."""
    return subprocess.Popen(
        [sys.executable, "-m", "retspec", "run", spec.name, "--executor", "pool", *options],
        cwd=spec.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,  # noqa: PLW1509 - no threads here
    )


def run_on_pool(spec: Path, *options: str) -> tuple[int, Report, str]:
    """Run a spec on the pool; return the exit code, the report and what was printed."""
    process = start(spec, *options)
    output, errors = process.communicate(timeout=120)
    return process.returncode, results_of(spec), output + errors


def results_of(spec: Path) -> Report:
    return read_report(spec.parent / "reports/spec/results.json")


def lines(spec: Path, name: str) -> int:
    """Return how often a criterion was measured."""
    log = spec.parent / f"{name}.log"
    return len(log.read_text().splitlines()) if log.exists() else 0
