"""A fault, what the user sees of it, and what is left on disk: one row of `docs/reliability.md`, and one test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from junitparser import JUnitXml

from retspec.cli import main
from tests.signals import hear_signals

ROOT = Path(__file__).parents[2]
COMPLETE = "both reports, every criterion in them"
NOTHING = "nothing"
FORKED = frozenset(
    {
        *("Code under test that lies", "Crashes", "Floods", "Gates that something opens", "Hangs", "Orphans"),
        *("Plugins that fail", "Texts that are more than texts", "Values that are none"),
    }
)
"""Groups that are about what a worker does, and what becomes of it: their program may be forked from a warm one."""


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
    """As a shell reports it: 128 + n for a program that signal n ended."""
    sees: str
    """A piece of what is printed, to the letter; it is shown in the table."""
    on_disk: str = COMPLETE
    """The reports in the folder afterwards: COMPLETE, NOTHING, or what `afterwards` holds, in words."""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    """Criterion to verdict, as results.json must have them."""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """More files of the folder, by relative path; `checks.py` is loaded as a plugin when it is there."""
    arguments: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """Another command than `retspec run`, with all its arguments; it writes no reports."""
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None
    """Done to the folder before the program starts."""
    act: Callable[[subprocess.Popen[str], Path], None] | None = None
    """Done to the running program."""
    prelude: str = ""
    """A line of shell before the program takes the shell's place; `"$@"` is its command."""
    spec_path: str = "spec.yaml"
    afterwards: Callable[[Path], None] | None = None
    """Holds what else must be true of the folder, or of the machine, when the program has ended."""
    here: bool = False
    """The command line answers in this process, and its workers are forked from a warm one: for what is refused before
    any program would be started, or by a worker that has imported torch for nothing else."""

    @property
    def is_warm(self) -> bool:
        """Whether what it starts is forked from a process that has imported all of it, as `tests/warm.py` explains."""
        return self.here or (self.group in FORKED and not any((self.act, self.variables, self.prelude)))


def play(scenario: Scenario, folder: Path) -> None:
    """Run `retspec run spec.yaml` under a scenario and hold it against what the scenario states."""
    _write(scenario, folder)
    code, printed = _answer(scenario, folder) if scenario.here else _run(scenario, folder)
    assert (code, scenario.sees in printed) == (scenario.exit_code, True), printed
    assert "Traceback" not in printed
    if scenario.on_disk == NOTHING:
        assert not (folder / "junit.xml").exists()
        assert not (folder / "results.json").exists()
    elif scenario.on_disk == COMPLETE:
        _hold_reports(scenario, folder)
    if scenario.afterwards is not None:
        scenario.afterwards(folder)


def _run(scenario: Scenario, folder: Path) -> tuple[int, str]:
    """Return the exit code of the program, as a shell reports it, and what it printed."""
    with _start(scenario, folder) as program:
        try:
            if scenario.act is not None:
                scenario.act(program, folder)
            out, err = program.communicate(timeout=300)
        except BaseException:
            program.kill()  # else leaving the context would wait for it
            raise
    return program.returncode if program.returncode >= 0 else 128 - program.returncode, out + err


def _answer(scenario: Scenario, folder: Path) -> tuple[int, str]:
    """Return the same of the command line in this process, which an interpreter of its own would cost three times."""
    assert not any((scenario.act, scenario.variables, scenario.prelude)), "this needs a process"
    stream = TextIOWrapper(BytesIO(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stream), redirect_stderr(stream):
        patch.chdir(folder)
        patch.setenv("CI", "1")
        code = main(_arguments(scenario))
    stream.flush()
    return code, stream.buffer.getvalue().decode()


def _write(scenario: Scenario, folder: Path) -> None:
    for name, content in {scenario.spec_path: scenario.spec, **scenario.files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    if scenario.prepare is not None:
        scenario.prepare(folder)


def _start(scenario: Scenario, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "retspec", *_arguments(scenario)]
    shell = ["sh", "-c", f'{scenario.prelude}\nexec "$@"', "sh"] if scenario.prelude else []
    return subprocess.Popen(
        [*shell, *command],
        cwd=folder,
        env={**_environment(), "PYTHONPATH": str(ROOT), "CI": "1", **scenario.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=hear_signals,  # noqa: PLW1509 - no thread here holds a lock
    )


def _arguments(scenario: Scenario) -> list[str]:
    if scenario.command:
        return [*scenario.command]
    plugin = ["-p", "checks.py"] if "checks.py" in scenario.files else []
    reports = ["--junit-xml", "junit.xml", "--json", "results.json"]
    return ["run", scenario.spec_path, *plugin, *reports, *scenario.arguments]


def _environment() -> dict[str, str]:
    """Return the environment of a user: without coverage, whose own files meet a full disk too, and a dead process."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


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
