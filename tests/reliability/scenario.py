"""A fault, what the user sees of it, and what is left on disk: one row of `docs/reliability.md`, and one test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from junitparser import JUnitXml

ROOT = Path(__file__).parents[2]
COMPLETE = "both reports, every criterion in them"
NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is done to a run, and what comes of it."""

    group: str
    """Heading of the table."""
    fault: str
    """What is wrong, in words."""
    spec: str
    """Text of `spec.yaml`; the folder that it lies in is the working directory."""
    exit_code: int
    sees: str
    """A piece of what is printed, to the letter; it is shown in the table."""
    on_disk: str = COMPLETE
    """COMPLETE or NOTHING: the reports in the folder afterwards."""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    """Criterion to verdict, as results.json must have them."""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """More files of the folder, by relative path; `checks.py` is loaded as a plugin when it is there."""
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None
    """Done to the folder before the program starts."""
    act: Callable[[subprocess.Popen[str], Path], None] | None = None
    """Done to the running program."""


def play(scenario: Scenario, folder: Path) -> None:
    """Run `retspec run spec.yaml` under a scenario and hold it against what the scenario states."""
    _write(scenario, folder)
    with _start(scenario, folder) as program:
        if scenario.act is not None:
            scenario.act(program, folder)
        out, err = program.communicate(timeout=120)
    printed = out + err
    assert (program.returncode, scenario.sees in printed) == (scenario.exit_code, True), printed
    assert "Traceback" not in printed
    if scenario.on_disk == NOTHING:
        assert not (folder / "junit.xml").exists()
        assert not (folder / "results.json").exists()
    else:
        _hold_reports(scenario, folder)


def _write(scenario: Scenario, folder: Path) -> None:
    for name, content in {"spec.yaml": scenario.spec, **scenario.files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    if scenario.prepare is not None:
        scenario.prepare(folder)


def _start(scenario: Scenario, folder: Path) -> subprocess.Popen[str]:
    plugin = ["-p", "checks.py"] if "checks.py" in scenario.files else []
    reports = ["--junit-xml", "junit.xml", "--json", "results.json"]
    return subprocess.Popen(
        [sys.executable, "-m", "retspec", "run", "spec.yaml", *plugin, *reports, *scenario.arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "1", **scenario.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def _hold_reports(scenario: Scenario, folder: Path) -> None:
    """Both reports are whole, agree with each other, and are green only if the exit code is."""
    results = json.loads((folder / "results.json").read_text())
    verdicts = {result["criterion"]["id"]: result["verdict"] for result in results["results"]}
    assert verdicts | scenario.verdicts == verdicts
    suite = next(iter(JUnitXml.fromfile(str(folder / "junit.xml"))))
    cases = {case.name: case for case in suite}
    assert set(verdicts) <= set(cases)
    assert (suite.failures + suite.errors == 0) is (scenario.exit_code == 0)
    if scenario.exit_code == 0:
        assert set(verdicts.values()) <= {"met", "warned", "skipped"}
