"""`diff`: specs as files and at git revisions, and the gate for pull requests."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import SPEC

if TYPE_CHECKING:
    from pathlib import Path

LOOSER = SPEC.replace("100_000", "200_000")


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, and a looser spec in the working tree."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git("init", "-q", ".")
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(SPEC)
    git("add", ".")
    git("commit", "-qm", "first")
    (folder / "tiny.yaml").write_text(LOOSER)
    return tmp_path


def test_a_revision_is_compared_with_the_working_tree(retspec: Any) -> None:
    finished = retspec("diff", "HEAD:specs/tiny.yaml", "specs/tiny.yaml")
    assert (finished.code, finished.err) == (0, "")
    row = " ".join(finished.out.splitlines()[-1].split())
    assert row == "max_trainable_params LOOSENED limit at most 100,000 parameters at most 200,000 parameters"


def test_the_gate_names_every_loosening(retspec: Any) -> None:
    finished = retspec("diff", "HEAD:specs/tiny.yaml", "specs/tiny.yaml", "--forbid-loosening")
    assert finished.code == 1
    assert finished.err == (
        "loosening: max_trainable_params: LOOSENED (limit at most 100,000 parameters → at most 200,000 parameters)\n"
    )
    assert retspec("diff", "specs/tiny.yaml", "HEAD:specs/tiny.yaml", "--forbid-loosening").code == 0


def test_nothing_changed_is_said(retspec: Any) -> None:
    finished = retspec("diff", "specs/tiny.yaml", "specs/tiny.yaml", "--forbid-loosening")
    assert (finished.code, finished.out) == (0, "nothing that judges changed\n")


def test_formats_for_programs_and_for_pull_requests(retspec: Any) -> None:
    (change,) = json.loads(retspec("diff", "HEAD:specs/tiny.yaml", "specs/tiny.yaml", "--format", "json").out)
    assert (change["kind"], change["old"], change["new"], change["is_loosening"]) == (
        "LOOSENED",
        100_000,
        200_000,
        True,
    )
    markdown = retspec("diff", "HEAD:specs/tiny.yaml", "specs/tiny.yaml", "--format", "markdown").out
    assert markdown.splitlines()[0] == "| criterion | change | of | old | new |"


def test_paths_count_from_the_root_as_in_git_or_from_here(
    retspec: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "specs")
    assert retspec("diff", "HEAD:specs/tiny.yaml", "tiny.yaml").code == 0
    assert retspec("diff", "HEAD:./tiny.yaml", "tiny.yaml").code == 0
    assert retspec("diff", "HEAD:tiny.yaml", "tiny.yaml").code == 2


def test_what_a_spec_refers_to_is_taken_from_its_revision(retspec: Any, repository: Path) -> None:
    """A plugin that changed since must not judge the past."""
    plugin = """
from retspec.plugin import check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def {}() -> float:
    '''Is it?'''
    return 1.0

@hookimpl
def retspec_checks():
    return [{}]
"""
    spec = "retspec: 1\nplugins: [mine.py]\nchecks: {{{}: 1}}\n"
    (repository / "specs" / "mine.py").write_text(plugin.format("before", "before"))
    (repository / "specs" / "own.yaml").write_text(spec.format("before"))
    git("add", ".")
    git("commit", "-qm", "second")
    (repository / "specs" / "mine.py").write_text(plugin.format("after", "after"))
    (repository / "specs" / "own.yaml").write_text(spec.format("after"))
    finished = retspec("diff", "HEAD:specs/own.yaml", "specs/own.yaml", "--format", "json")
    assert [(change["name"], change["kind"]) for change in json.loads(finished.out)] == [
        ("after", "ADDED"),
        ("before", "REMOVED"),
        ("plugins", "CHANGED"),
    ]


PLUGIN = """
from retspec.plugin import check, hookimpl
{imports}

@check(direction="at most", advice="Nothing to do.")
def amount() -> float:
    '''How much is it?'''
    return {returns}

@hookimpl
def retspec_checks():
    return [amount]
"""
AMOUNT = "retspec: 1\nplugins: [mine.py]\nchecks: {amount: 1}\n"


@pytest.fixture
def own_plugin(repository: Path) -> Path:
    """A committed spec with a plugin beside it, which imports a file from beside itself."""
    folder = repository / "specs"
    imports = (
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\nimport halves_of_it as halves"
    )
    (folder / "halves_of_it.py").write_text("HALF = 2.0\n")
    (folder / "mine.py").write_text(PLUGIN.format(imports=imports, returns="2 * halves.HALF"))
    (folder / "own.yaml").write_text(AMOUNT)
    (folder / "other.yaml").write_text(AMOUNT.replace("mine.py", "yours.py"))
    git("add", ".")
    git("commit", "-qm", "with a plugin")
    return folder


@pytest.mark.parametrize("edited", ["mine.py", "halves_of_it.py"])
def test_an_edited_plugin_is_a_loosening(retspec: Any, own_plugin: Path, edited: str) -> None:
    asked = ("diff", "HEAD:specs/own.yaml", "specs/own.yaml", "--forbid-loosening")
    assert (retspec(*asked).code, retspec(*asked).out) == (0, "nothing that judges changed\n")
    path = own_plugin / edited
    path.write_text(path.read_text().replace("2", "0"))
    finished = retspec(*asked)
    assert finished.code == 1
    assert finished.err.startswith("loosening: plugins: CHANGED (mine.py 'SHA-256 ")


def test_a_plugin_in_the_place_of_another_is_a_loosening(retspec: Any, own_plugin: Path) -> None:
    text = (own_plugin / "mine.py").read_text()
    (own_plugin / "yours.py").write_text(text)
    asked = ("diff", "specs/own.yaml", "specs/other.yaml", "--forbid-loosening")
    assert retspec(*asked).code == 0  # the same code under another name
    (own_plugin / "yours.py").write_text(text.replace("2 *", "0 *"))
    finished = retspec(*asked)
    assert finished.code == 1
    assert "loosening: plugins: ADDED (yours.py" in finished.err


def test_a_plugin_that_is_named_as_a_module_is_compared_with_its_revision(
    retspec: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(repository))
    (repository / "amounts_of_mine.py").write_text(PLUGIN.format(imports="", returns="2"))
    (repository / "own.yaml").write_text(AMOUNT.replace("mine.py", "amounts_of_mine"))
    git("add", ".")
    git("commit", "-qm", "with a module")
    asked = ("diff", "HEAD:own.yaml", "own.yaml", "--forbid-loosening")
    assert retspec(*asked).code == 0
    (repository / "amounts_of_mine.py").write_text(PLUGIN.format(imports="", returns="0"))
    assert "loosening: plugins: CHANGED (amounts_of_mine 'SHA-256 " in retspec(*asked).err


def test_the_users_index_and_tree_stay_as_they_are(retspec: Any, repository: Path) -> None:
    (repository / "specs" / "new.yaml").write_text(SPEC)
    git("add", "specs/new.yaml")
    status = subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout
    retspec("diff", "HEAD:specs/tiny.yaml", "specs/tiny.yaml")
    assert subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout == status


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("gone.yaml", "there is no file 'gone.yaml'; give a spec, or one at a git revision as REV:path"),
        ("gone:specs/tiny.yaml", "git knows no revision 'gone' here"),
        ("HEAD:specs/gone.yaml", "there is no file 'specs/gone.yaml' at HEAD"),
        ("--output=x:specs/tiny.yaml", "No such option"),
        ("HEAD:../etc/passwd", "there is no file"),
        ("HEAD:", "give a spec, or one at a git revision"),
    ],
)
def test_what_is_not_there_is_told(retspec: Any, place: str, says: str) -> None:
    finished = retspec("diff", place, "specs/tiny.yaml")
    assert finished.code == 2
    assert says in finished.err
    assert "Traceback" not in finished.err


def test_an_invalid_spec_of_the_past_is_told_by_its_revision(retspec: Any, repository: Path) -> None:
    (repository / "specs" / "bad.yaml").write_text(SPEC.replace("lora_layers", "lora_layer"))
    git("add", ".")
    git("commit", "-qm", "bad")
    finished = retspec("diff", "HEAD:specs/bad.yaml", "specs/tiny.yaml")
    assert finished.code == 2
    assert finished.err.startswith("HEAD:specs/bad.yaml:9:3: unknown check 'lora_layer'")
