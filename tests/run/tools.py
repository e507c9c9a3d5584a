"""What the tests of the engine share: specs on disk, and looking at processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.running import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.records import Report, Result, Verdict

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ACTING = str(HERE / "acting.py")


def spec_in(folder: Path, checks: str, head: str = "") -> Path:
    """Write a spec; `checks` and `head` are lines of YAML, the first of them not indented."""
    path = folder / "spec.yaml"
    indented = "".join(f"  {line}\n" for line in checks.strip().splitlines())
    path.write_text(f"retspec: 1\nname: engine\n{head.strip()}\nchecks:\n{indented}")
    return path


def run_acting(folder: Path, checks: str, head: str = "", **options: Any) -> Report:
    """Run a spec over the checks of `acting.py`."""
    return run(spec_in(folder, checks, head), plugins=[ACTING], entry_points=False, **options)


def verdicts(report: Report) -> dict[str, Verdict]:
    return {result.criterion.id: result.verdict for result in report.results}


def result_of(report: Report, name: str) -> Result:
    return next(result for result in report.results if result.criterion.id == name)


def start_program(spec: Path, *arguments: str | Path, prelude: str = "") -> subprocess.Popen[str]:
    """Start `retspec run` as a process of its own, after a line of shell if there is one."""
    command = [sys.executable, "-m", "retspec", "run", spec, "-p", ACTING, *arguments]
    return subprocess.Popen(
        ["sh", "-c", f'{prelude}\nexec "$@"', "sh", *map(str, command)],
        cwd=spec.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether a condition comes true within some time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
