"""`retspec run` shows what the code under test printed, and keeps its own standard output to results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = """
import os
from retspec.plugin import Cost, check, hookimpl, measurement

@measurement(cost=Cost.STATIC, needs_torch=False)
def spoken() -> int:
    '''Print.'''
    print("debugging: x = 3")
    os.write(2, b"\\x1b]52;c;cm0=\\x07a warning\\n")
    return 1

@check(direction="at most", advice="Nothing to do.")
def reads_spoken(spoken) -> int:
    '''Was it spoken?'''
    return spoken

@hookimpl
def retspec_measurements(): return [spoken]

@hookimpl
def retspec_checks(): return [reads_spoken]
"""
SPEC = "retspec: 1\nplugins: [talks.py]\nchecks:\n  reads_spoken: {limit}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "talks.py").write_text(PLUGIN)
    for name, limit in (("missed", 0), ("met", 1)):
        (tmp_path / f"{name}.yaml").write_text(SPEC.format(limit=limit))
    return tmp_path


def recorded(folder: Path, name: str) -> list[dict[str, str]]:
    (result,) = json.loads((folder / "reports" / name / "results.json").read_text())["results"]
    output: list[dict[str, str]] = result.get("output", [])
    return output


def test_the_block_of_a_miss_shows_it_and_the_results_hold_it(
    folder: Path, program: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = program("run", "missed.yaml", cwd=folder)
    assert done.returncode == 1
    assert "    stdout of spoken:\n    | debugging: x = 3\n    stderr of spoken:\n    | a warning\n" in done.stdout
    assert "debugging" not in done.stderr
    assert recorded(folder, "missed") == [
        {"source": "spoken", "stdout": "debugging: x = 3\n", "stderr": "a warning\n"},
    ]


def test_what_is_met_shows_it_only_under_v(
    folder: Path, program: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert "debugging" not in program("run", "met.yaml", cwd=folder).stdout
    assert "    | debugging: x = 3\n" in program("run", "met.yaml", "-v", cwd=folder).stdout


@pytest.mark.parametrize("option", ["-s", "--live-output"])
def test_live_it_goes_to_stderr_and_is_not_kept(
    option: str, folder: Path, program: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = program("run", "missed.yaml", option, cwd=folder)
    assert done.returncode == 1
    assert "debugging: x = 3\n" in done.stderr
    assert "a warning\n" in done.stderr
    assert "debugging" not in done.stdout
    assert recorded(folder, "missed") == []
