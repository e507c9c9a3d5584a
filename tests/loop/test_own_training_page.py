"""The page on a training of the user's own: each fault that it plants turns the criterion red that it names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from retspec.judge import judge
from retspec.plugins.catalog import gather
from retspec.records import Observed, Outcome, Verdict
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.subjects.training.watching.launching import launch_script
from retspec.subjects.training.watching.watch import Watch
from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.facts.loop import Loop
    from retspec.records import Result

PAGE = (ROOT / "docs" / "own-training.md").read_text(encoding="utf-8")
SCRIPT = (ROOT / "examples" / "train_lora.py").read_text(encoding="utf-8")
CATALOG = gather(entry_points=False)
SPEC = validate(load(ROOT / "specs" / "own_training.yaml"), CATALOG)
ARGUMENTS = SPEC.training.arguments["args"] if SPEC.training else []
STEPS = SPEC.train.steps
FAULT = re.compile(r"^### (.+)\n\n```diff\n((?:.*\n)+?)```\n\n```text\nmissed: (.+)\n→ (.+)\n```$", re.MULTILINE)
SENTENCE = re.compile(r"(?P<check>\w+) = (?P<value>.+?), required (?P<limit>[^(]+)")


@dataclass(frozen=True)
class Fault:
    """A section of the page."""

    title: str
    removed: str
    added: str
    sentence: str
    advice: str

    @property
    def planted(self) -> str:
        """The script with the one line changed."""
        assert SCRIPT.count(self.removed) == 1
        return SCRIPT.replace(self.removed, self.added)


def _fault(title: str, diff: str, sentence: str, advice: str) -> Fault:
    lines = diff.splitlines(keepends=True)
    removed, added = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
    assert len(removed) == 1
    assert len(added) <= 1
    return Fault(title, removed[0], "".join(added), sentence, advice)


FAULTS = [_fault(*found) for found in FAULT.findall(PAGE)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loop]:
    """Watch a script in this process, as a worker does."""

    def watch(text: str) -> Loop:
        path = tmp_path_factory.mktemp("script") / "train_lora.py"
        path.write_text(text, encoding="utf-8")
        return Watch(launch_script(path, ARGUMENTS), STEPS).run()

    return watch


def _result(loop: Loop, check: str) -> Result:
    """Judge the criterion of the shipped spec that asks a check."""
    criterion = next(each for each in SPEC.criteria if each.check == check)
    observed: Any = CATALOG.checks[check].function(loop)
    outcome = observed if isinstance(observed, Observed) else Observed(observed)
    return judge(criterion, Outcome(id=criterion.id, observed=outcome))


def test_the_page_plants_thirteen_faults_with_a_criterion_each() -> None:
    assert len(FAULTS) == PAGE.count("\n### ") == PAGE.count("```diff") == 13
    assert len({fault.sentence.split()[0] for fault in FAULTS}) == 13


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.sentence.split()[0])
def test_a_planted_fault_is_named_as_the_page_says(fault: Fault, seen: Callable[[str], Loop]) -> None:
    shown = SENTENCE.match(fault.sentence)
    assert shown
    loop = seen(fault.planted)
    assert loop.ending == ""
    result = _result(loop, shown["check"])
    assert result.verdict is Verdict.MISSED
    found = SENTENCE.match(result.reason)
    assert found
    assert (found["check"], found["limit"]) == (shown["check"], shown["limit"])
    assert _value(found["value"]) == _value(shown["value"])
    assert result.criterion.advice == fault.advice


def _value(text: str) -> Any:
    """Return a value, of a fraction what another machine finds too."""
    number, _, unit = text.partition(" ")
    return (pytest.approx(float(number), rel=0.1), unit) if "." in number or "e-" in number else text


def test_without_a_fault_all_of_these_are_met(seen: Callable[[str], Loop]) -> None:
    loop = seen(SCRIPT)
    checks = [fault.sentence.split()[0] for fault in FAULTS]
    assert {check: _result(loop, check).verdict for check in checks} == dict.fromkeys(checks, Verdict.MET)


# As programs ---------------------------------------------------------------------------------------


def _program(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    command = [sys.executable, "-m", "retspec", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_the_shipped_spec_is_met_by_one_run_of_the_script(tmp_path: Path) -> None:
    finished = _program("run", str(ROOT / "specs" / "own_training.yaml"), folder=tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    results = json.loads((tmp_path / "reports" / "own_training" / "results.json").read_text())
    checks = [result["criterion"]["check"] for result in results["results"]]
    assert len(checks) >= 25
    assert len({CATALOG.checks[check].family for check in checks}) >= 5
    assert finished.stderr.count("measuring loop") == 1


def test_the_first_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    """All but figures that a machine or a version of torch may change."""
    (shown,) = re.findall(r"^```console\n\$ retspec watch -- (.+)\n((?:.*\n)+?)```$", PAGE, re.MULTILINE)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "train_lora.py").write_text(SCRIPT)
    finished = _program("watch", "--", *shown[0].split(), folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert _without_figures(finished.stdout) == _without_figures(shown[1])


def _without_figures(text: str) -> list[str]:
    """Return the words, without fractions and shares."""
    return re.sub(r"-?\b\d+\.\d+\b|\b\d+ %", "N", " ".join(text.split())).split()
