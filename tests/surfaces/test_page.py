"""What `docs/ci.md` tells to copy: files that their readers accept, commands that run, reports where it says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.surfaces.conftest import ROOT, SPEC

if TYPE_CHECKING:
    from pathlib import Path

    from tests.surfaces.conftest import Project

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```\w+\n(?:#|//) (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
WORKFLOW, PAGES, GITLAB, JENKINS, PRE_COMMIT = (
    ".github/workflows/acceptance.yml",
    ".github/workflows/report.yml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    ".pre-commit-config.yaml",
)


def _file(name: str, number: int = 0) -> str:
    return [text for found, text in FILES if found == name][number]


def _read(name: str, number: int = 0) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(_file(name, number))
    return read


def test_the_page_holds_a_file_for_each_surface() -> None:
    assert [name for name, _ in FILES] == [WORKFLOW, PAGES, GITLAB, JENKINS, PRE_COMMIT, PRE_COMMIT]


@pytest.mark.parametrize(
    ("name", "schema"),
    [(WORKFLOW, "vendor.github-workflows"), (PAGES, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")],
)
def test_a_file_is_valid_under_the_schema_of_its_reader(name: str, schema: str, tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text(_file(name))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, tmp_path / "file.yaml"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


# GitHub -----------------------------------------------------------------------------------------------------


def _steps() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = _read(WORKFLOW)["jobs"]["retspec"]["steps"]
    return steps


@pytest.mark.parametrize(("name", "job"), [(WORKFLOW, "retspec"), (PAGES, "report")])
def test_the_workflow_gives_the_action_inputs_that_it_has(name: str, job: str) -> None:
    (step,) = [step for step in _read(name)["jobs"][job]["steps"] if "OWNER/retspec" in step.get("uses", "")]
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert step["with"].keys() <= action["inputs"].keys()
    assert {name for name, each in action["inputs"].items() if each.get("required")} <= step["with"].keys()


def test_the_gate_of_the_workflow_lets_a_stricter_spec_pass_and_no_looser_one(project: Project) -> None:
    (step,) = [step for step in _steps() if "run" in step]
    assert step["env"] == {"BASE": "origin/${{ github.base_ref }}"}
    git = "git -c user.name=me -c user.email=me@example.org"
    commit = f"git init -q . && git add specs train.yaml && {git} commit -qm one"
    made = project.shell(f"{commit} && git update-ref refs/remotes/origin/main HEAD")
    assert made.returncode == 0, made.stderr
    assert project.shell(step["run"], BASE="origin/main").returncode == 0
    (project.folder / "specs" / "aptos.yaml").write_text(SPEC.replace("config_paths: 0", "config_paths: 1"))
    finished = project.shell(step["run"], BASE="origin/main")
    assert finished.returncode == 1
    assert finished.stderr == "loosening: config_paths: LOOSENED (limit at most 0 paths → at most 1 paths)\n"


# GitLab and Jenkins -----------------------------------------------------------------------------------------


def _in_gitlab() -> tuple[list[str], str]:
    job = _read(GITLAB)["acceptance"]
    assert job["artifacts"]["when"] == "always"
    return job["script"], job["artifacts"]["reports"]["junit"]


def _in_jenkins() -> tuple[list[str], str]:
    text = _file(JENKINS)
    (reports,) = re.findall(r"^ *junit '(.*)'$", text.partition("always {")[2], re.MULTILINE)
    return re.findall(r"^ *sh '(.*)'$", text, re.MULTILINE), reports


@pytest.mark.parametrize("surface", [_in_gitlab, _in_jenkins])
@pytest.mark.parametrize(("is_met", "code"), [(True, 0), (False, 1)])
def test_a_job_runs_and_its_report_is_where_it_is_looked_for(
    surface: Any,
    is_met: bool,  # noqa: FBT001
    code: int,
    project: Project,
) -> None:
    commands, reports = surface()
    if not is_met:
        (project.folder / "train.csv").unlink()
    assert len(commands) == 2
    codes = [project.shell(command).returncode for command in commands]
    assert codes == [0, code]
    assert [call[-3:] for call in project.calls if "install" in call] == [["install", "-r", "requirements.txt"]]
    (report,) = project.folder.glob(reports)
    assert report.read_text().count("<testcase ") == 2
    _publishes_the_page(project)


def _publishes_the_page(project: Project) -> None:
    """Run what copies the report to where each service publishes from; it is the same, whatever the verdicts are."""
    (on_github,) = [step["run"] for step in _read(PAGES)["jobs"]["report"]["steps"] if "run" in step]
    (on_gitlab,) = _read(GITLAB)["pages"]["script"]
    (on_jenkins,) = re.findall(r"reportDir: '(.*?)', reportFiles: '(.*?)'", _file(JENKINS))
    assert project.shell(on_github).returncode == project.shell(on_gitlab).returncode == 0
    pages = [project.folder / path for path in ("site/index.html", "public/index.html", "/".join(on_jenkins))]
    assert len({page.read_bytes() for page in pages}) == 1
    assert pages[0].read_text().startswith("<!doctype html>")


def test_the_page_is_published_red_or_green() -> None:
    steps = _read(PAGES)["jobs"]["report"]["steps"]
    assert [step.get("if") for step in steps] == [None, None, "always()", "always()", "always()"]
    assert _read(GITLAB)["pages"]["rules"][0]["when"] == "always"
    assert _read(GITLAB)["acceptance"]["artifacts"]["paths"] == ["reports/"]


@pytest.mark.parametrize("name", [PAGES, GITLAB, JENKINS])
def test_a_page_that_is_published_is_asked_for(name: str) -> None:
    """One that nobody asked for is left out where it would take long."""
    asked = re.findall(r"--report html=([^\s']+)", _file(name))
    assert asked == ["reports/aptos/report.html"]
    assert asked[0] in _file(name).replace("', reportFiles: '", "/").replace(f"html={asked[0]}", "")


def test_the_stricter_family_is_written_as_the_page_says(project: Project) -> None:
    (command,) = re.findall(r"`(retspec run [^`]*junit-strict[^`]*)`", PAGE)
    assert project.shell(command).returncode == 0
    assert (project.folder / "reports" / "strict.xml").is_file()


@pytest.mark.parametrize("flag", ["--margin 50% --dry-run", "--results"])
def test_calibrating_is_told_with_options_that_it_has(flag: str, project: Project) -> None:
    assert flag in PAGE
    (command,) = re.findall(r"`(retspec calibrate [^`]*)`", PAGE)
    assert project.shell(command).returncode == 0


# pre-commit -------------------------------------------------------------------------------------------------


def _hooks() -> dict[str, Any]:
    return {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def test_the_hook_of_the_page_is_there() -> None:
    (repository,) = _read(PRE_COMMIT)["repos"]
    assert [hook["id"] for hook in repository["hooks"]] == [*_hooks()]


def test_the_hook_stops_a_commit_of_a_spec_that_is_wrong(project: Project) -> None:
    """pre-commit calls the entry with the names of the files that fit the pattern."""
    entry = _hooks()["retspec-validate"]["entry"]
    assert project.shell(f"{entry} specs/aptos.yaml").returncode == 0
    (project.folder / "specs" / "other.yaml").write_text(SPEC.replace("config_paths", "config_path"))
    finished = project.shell(f"{entry} specs/aptos.yaml specs/other.yaml")
    assert finished.returncode == 2
    assert "specs/other.yaml:5:3: unknown check 'config_path'; did you mean 'config_paths'?" in finished.stderr


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("specs/aptos.yaml", True),
        ("models/vit/specs/aptos.yml", True),
        ("aptos.retspec.yaml", True),
        ("configs/train.yaml", False),
        ("specs/data/table.yaml", False),
        ("myspecs/aptos.yaml", False),
    ],
)
def test_the_hook_picks_specs(path: str, fits: bool) -> None:  # noqa: FBT001
    assert bool(re.search(_hooks()["retspec-validate"]["files"], path)) == fits


# Without torch ----------------------------------------------------------------------------------------------


def _named_by_the_hook() -> list[str]:
    (hook,) = _read(PRE_COMMIT, 1)["repos"][0]["hooks"]
    option, itself, *others = hook["additional_dependencies"]
    assert (option, itself.split()[0]) == ("--no-deps", "retspec")
    return others


def _link(name: str, folder: Path) -> None:
    """Put a distribution that is installed here, and nothing that it needs, into a folder."""
    installed = distribution(name)
    tops = {file.parts[0] for file in installed.files or () if file.parts[0] != ".."}
    for top in tops - {"__pycache__"}:
        if not (folder / top).exists():
            (folder / top).symlink_to(str(installed.locate_file(top)))


def test_the_named_distributions_are_enough_for_a_commit(project: Project, tmp_path: Path) -> None:
    """A Python that finds these alone, and neither torch nor what else is installed here, knows right from wrong."""
    site = tmp_path / "site"
    site.mkdir()
    for name in _named_by_the_hook():
        _link(name, site)
    (site / "retspec").symlink_to(ROOT / "retspec")
    bare = f"{sys.executable} -S"
    for module in ("torch", "hypothesis"):
        assert "ModuleNotFoundError" in project.shell(f"{bare} -c 'import {module}'", PYTHONPATH=str(site)).stderr
    finished = project.shell(f"{bare} -m retspec validate specs/aptos.yaml", PYTHONPATH=str(site))
    assert (finished.returncode, finished.stderr) == (0, "")
    (project.folder / "specs" / "aptos.yaml").write_text(f"{SPEC}  loss_drop: high\n")
    finished = project.shell(f"{bare} -m retspec validate specs/aptos.yaml", PYTHONPATH=str(site))
    assert finished.returncode == 2
    assert finished.stderr.startswith("specs/aptos.yaml:7:14: checks.loss_drop: expected a number")


def test_the_two_commands_name_the_same() -> None:
    """pip finds what they need in turn; without what the hook must name for that reason they are the same."""
    (command,) = re.findall(r"^pip install (click .*)$", PAGE, re.MULTILINE)
    indirect = {"attrs", "jsonschema-specifications", "rpds-py", "typing-extensions"}
    assert {*command.split()} == {*_named_by_the_hook()} - indirect
