"""The GitHub action: its file is valid, and each of its steps does under bash what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.surfaces.conftest import ROOT

if TYPE_CHECKING:
    from tests.surfaces.conftest import Project

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

ACTION = ROOT / "action.yml"
EXPRESSION = re.compile(r"\$\{\{ *inputs\.([\w-]+) *\}\}")


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return read


def _run(action: dict[str, Any], project: Project, step: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run one step with given inputs, as GitHub would: expressions stand in `env` alone."""
    (found,) = [each for each in action["runs"]["steps"] if each["name"] == step]
    inputs = {name: each.get("default", "") for name, each in action["inputs"].items()} | given
    values = {name: EXPRESSION.sub(lambda match: inputs[match[1]], value) for name, value in found["env"].items()}
    files = {name: str(project.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return project.shell(found["run"], **values, **files, GITHUB_ACTIONS="true", GITHUB_ACTION_PATH="/the/action")


def test_the_file_is_valid_under_the_schema_of_actions() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", ACTION]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


def test_every_input_is_declared_used_and_told_on_the_page(action: dict[str, Any]) -> None:
    text = ACTION.read_text(encoding="utf-8")
    declared = set(action["inputs"])
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == declared
    rows = re.findall(r"^\| `([\w-]+)` \|(?: `(.*?)`)? \|", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE)
    assert dict(rows) == {name: each.get("default", "") for name, each in action["inputs"].items()}


def test_no_input_is_pasted_into_a_script(action: dict[str, Any]) -> None:
    """An expression in a script is replaced before bash reads it: an input could be a command."""
    assert not [step["name"] for step in action["runs"]["steps"] if "${{" in step.get("run", "")]


def test_it_installs_itself_with_what_is_asked_for(action: dict[str, Any], project: Project) -> None:
    assert _run(action, project, "Install").returncode == 0
    assert _run(action, project, "Install", requirements="-r requirements.txt\n'a b'; touch x").returncode == 0
    install = ["python", "-m", "pip", "install", "/the/action"]
    assert project.calls == [install, [*install, "-r", "requirements.txt", "'a", "b';", "touch", "x"]]
    assert not (project.folder / "x").exists()


def test_a_run_that_is_met_passes_and_is_summed_up(action: dict[str, Any], project: Project) -> None:
    finished = _run(action, project, "Run", spec="specs/aptos.yaml")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (project.folder / "GITHUB_OUTPUT").read_text() == "exit-code=0\n"
    assert "| config_paths | 0 |" in (project.folder / "GITHUB_STEP_SUMMARY").read_text()
    (kept,) = [step["with"]["path"] for step in action["runs"]["steps"] if step["name"] == "Keep the reports"]
    folder = project.folder / EXPRESSION.sub(action["inputs"]["working-directory"]["default"], kept)
    assert {path.name for path in folder.rglob("[!.]*.*")} == {
        "junit.xml",
        "results.json",
        "report.html",
        "history.jsonl",
    }


def test_a_missed_limit_fails_the_step_at_its_line(action: dict[str, Any], project: Project) -> None:
    (project.folder / "train.csv").unlink()
    finished = _run(action, project, "Run", spec="specs/aptos.yaml", args="-k config\n  --device cpu")
    assert finished.returncode == 1
    assert (project.folder / "GITHUB_OUTPUT").read_text() == "exit-code=1\n"
    assert "::error file=specs/aptos.yaml,line=5," in finished.stdout
    assert "output_dir_writable" not in finished.stdout


def test_a_spec_that_is_called_like_an_option_is_a_spec(action: dict[str, Any], project: Project) -> None:
    finished = _run(action, project, "Run", spec="--help")
    assert finished.returncode == 2
    assert "there is no file '--help'" in finished.stderr


def test_reports_are_kept_red_or_green(action: dict[str, Any]) -> None:
    (step,) = [step for step in action["runs"]["steps"] if step["name"] == "Keep the reports"]
    assert step["if"].startswith("always()")
