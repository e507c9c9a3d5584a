"""The plugins of the guide, and an observer of everything, in one real run: every hook is implemented and called."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import PROJECT
from retspec.running import run
from tests.plugins.test_documentation import GUIDE, blocks

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.plugins.samples import Write

HOOKS = {name for name in vars(HookSpecs) if name.startswith(f"{PROJECT}_")}
LISTENER = """
from pathlib import Path
from retspec.plugin import hookimpl

def note(*words):
    with Path("heard.log").open("a") as log:
        print(*words, file=log)

@hookimpl
def retspec_spec_loaded(spec): note("retspec_spec_loaded", spec.name)
@hookimpl
def retspec_run_started(report): note("retspec_run_started", report.name)
@hookimpl
def retspec_importing(library, name): note("retspec_importing", library)
@hookimpl
def retspec_progress(measurement, name): note("retspec_progress", measurement)
@hookimpl
def retspec_waiting(reason): note("retspec_waiting", reason)
@hookimpl
def retspec_criterion_finished(result, name): note("retspec_criterion_finished", result.criterion.id)
@hookimpl
def retspec_run_finished(report): note("retspec_run_finished", report.name)
"""
SPEC = """
retspec: 1
name: guided
model: {pocket: 16, classes: 3}
data: {stripes: [3, 8, 8]}
train: {squared_error: 0.5, steps: 3}
checks:
  initial_confidence: 0.9
  nonfinite_steps: 0
"""


def hooks_of(source: str) -> set[str]:
    names = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    return {name for name in names if name.startswith(f"{PROJECT}_")}


def test_every_hook_is_called_in_one_real_run(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sources = [*blocks(GUIDE, "python"), LISTENER]
    assert set().union(*map(hooks_of, sources)) == HOOKS, "a hook that no plugin here implements is not tested"
    plugins = [str(write(f"plugin_{number}.py", source)) for number, source in enumerate(sources)]
    report = run(write("guided.yaml", SPEC), plugins=plugins, entry_points=False, reports={"plain-list": "list.tsv"})
    assert (report.exit_code, report.faults) == (0, ())
    assert (tmp_path / "list.tsv").read_text() == "initial_confidence\tmet\nnonfinite_steps\tmet\n"
    heard = (tmp_path / "heard.log").read_text().splitlines()
    # Nothing is waited for where all is measured on this machine.
    assert {line.partition(" ")[0] for line in heard} == hooks_of(LISTENER) - {"retspec_waiting"}
    assert "retspec_progress confidence" in heard
    assert "retspec_importing torch" in heard
    assert (heard[0], heard[-1]) == ("retspec_spec_loaded guided", "retspec_run_finished guided")
    logged = (tmp_path / "verdicts.log").read_text().splitlines()
    assert logged[0] == "guided initial_confidence met"
    assert logged[-1].startswith("the other observers took ")
