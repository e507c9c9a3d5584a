"""`checks`, `schema` and `plugins`: what is installed, in three views."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from jsonschema import Draft7Validator

from retspec.cli.manual import file_of, measurements_of, type_name
from retspec.plugins.catalog import gather
from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugin import Check

PLUGIN = """
from typing import Literal
from retspec.facts import Training
from retspec.plugin import check, hookimpl

@check(direction="at most", unit="steps", advice="Warm up for fewer steps.", default_limit=7, shorthand="share")
def steps_to_share(training: Training, *, share: float, mode: Literal["mean", "last"] = "last") -> int:
    '''After how many steps is a share of the loss left?'''
    return 0

@hookimpl
def retspec_checks():
    return [steps_to_share]
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "my_checks.py"
    path.write_text(PLUGIN)
    return path


def test_every_check_is_listed_with_its_question_under_its_family(retspec: Any) -> None:
    finished = retspec("checks", "--no-plugins")
    assert finished.code == 0
    for check in gather(entry_points=False).checks.values():
        family = finished.out.partition(f"{check.family}\n")[2].partition("\n\n")[0]
        line = next(line for line in family.splitlines() if line.startswith(f"{check.name} "))
        assert line.endswith(check.question)
        assert check.direction.value in line


def listed(output: str) -> set[str]:
    """Return the names of the checks in a listing."""
    known = gather(entry_points=False).checks
    return {line.split()[0] for line in output.splitlines() if line and line.split()[0] in known}


def test_a_family_is_listed_alone(retspec: Any) -> None:
    checks = gather(entry_points=False).checks.values()
    finished = retspec("checks", "memory", "--no-plugins")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.startswith("memory\n")
    assert listed(finished.out) == {check.name for check in checks if check.family == "memory"}


def test_a_pattern_lists_the_checks_that_it_matches(retspec: Any) -> None:
    names = listed(retspec("checks", "*loss*", "--no-plugins").out)
    assert "loss_drop" in names
    assert names == {name for name in gather(entry_points=False).checks if "loss" in name}
    finished = retspec("checks", "zzz*")
    assert finished.code == 2
    assert "there is no check 'zzz*'" in finished.err


def test_a_word_is_looked_for_in_names_and_questions(retspec: Any) -> None:
    checks = gather(entry_points=False).checks.values()
    asked = {check.name for check in checks if "gradient" in check.question.lower()}
    named = {check.name for check in checks if "gradient" in check.name}
    assert asked - named
    assert listed(retspec("checks", "Gradient", "--no-plugins").out) == asked | named


@pytest.mark.parametrize(
    ("columns", "headers"),
    [(200, "check direction unit reads question"), (80, "check direction unit question"), (40, "check question")],
)
def test_a_listing_fits_the_screen(retspec: Any, monkeypatch: pytest.MonkeyPatch, columns: int, headers: str) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    finished = retspec("checks", "memory", "--no-plugins")
    lines = finished.out.splitlines()
    assert lines[1].split() == headers.split()
    assert max(map(len, lines)) <= columns
    questions = [check.question for check in gather(entry_points=False).checks.values() if check.family == "memory"]
    words = " ".join(" ".join(line[lines[1].index("question") :].split()) for line in lines[3:])
    assert all(question in words for question in questions)


def test_a_near_miss_may_be_a_family(retspec: Any) -> None:
    finished = retspec("checks", "numeric5")
    assert finished.code == 2
    assert finished.err == "Error: there is no check 'numeric5'; did you mean 'numerics'?\n"


@pytest.mark.parametrize("name", sorted(gather(entry_points=False).checks))
def test_every_check_has_a_manual(retspec: Any, name: str) -> None:
    finished = retspec("checks", name, "--no-plugins")
    check = gather(entry_points=False).checks[name]
    assert finished.code == 0
    assert finished.out.startswith(f"{name} ({check.family})\n  {check.question}\n")
    assert all(f"  {measurement} (" in finished.out for measurement in check.measurements)


def test_a_manual_names_the_files_of_a_check_and_of_its_measurements(retspec: Any) -> None:
    lines = retspec("checks", "lora_layers", "--no-plugins").out.splitlines()
    assert lines[-2:] == ["File", "  retspec/checks/parameters/lora_layers.py"]
    assert lines[lines.index("Measurements") + 2] == "    retspec/measurements/parameters.py"


@pytest.mark.parametrize("check", gather(entry_points=False).checks.values(), ids=lambda check: check.name)
def test_every_file_that_a_manual_names_is_there(check: Check) -> None:
    files = [file_of(check), *map(file_of, measurements_of(check, gather(entry_points=False)))]
    assert len(files) > 1
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_a_plugin_that_is_a_file_is_named_from_the_working_directory(
    retspec: Any, plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plugin.parent)
    assert retspec("checks", "steps_to_share", "-p", plugin).out.endswith("\nFile\n  my_checks.py\n")


def test_an_installed_plugin_is_named_by_the_path_of_its_module(program: Any, installed: Path) -> None:
    assert program("checks", "steps_to_share", path=installed).stdout.endswith("\nFile\n  eyes.py\n")


def test_a_check_of_a_notebook_has_the_name_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    check = gather(entry_points=False).checks["lora_layers"]
    monkeypatch.setattr(check.function, "__module__", "a_notebook")
    assert file_of(check) == "a_notebook"


def test_a_manual_tells_everything_that_a_plugin_declares(retspec: Any, plugin: Path) -> None:
    lines = retspec("checks", "steps_to_share", "-p", plugin).out.splitlines()
    assert "  at most (int, in steps); default 7" in lines
    assert "  `steps_to_share: VALUE` sets the argument `share`, not the limit" in lines
    assert "  share: float, required" in lines
    assert '  mode: "mean" or "last", default "last"' in lines
    assert "  Warm up for fewer steps." in lines


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (int, "int"),
        (tuple[int, ...], "list of int"),
        (list[str] | str, "list of str or str"),
        (dict[int, int], "map of int to int"),
        (Annotated[float, "positive"], "float"),
        (Literal["mean", 3], '"mean" or 3'),
        (float | None, "float or null"),
        (Any, "Any"),
    ],
)
def test_types_are_named_in_words_that_suit_yaml(hint: Any, name: str) -> None:
    assert type_name(hint) == name


@pytest.mark.parametrize("arguments", [[], ["--results"]])
def test_a_schema_is_sorted_valid_json(retspec: Any, arguments: list[str]) -> None:
    finished = retspec("schema", *arguments)
    assert finished.code == 0
    schema = json.loads(finished.out)
    Draft7Validator.check_schema(schema)
    assert json.dumps(schema) == json.dumps(schema, sort_keys=True)
    below = schema.get("definitions") or schema["$defs"]
    lines = finished.out.splitlines()
    assert all(any(line.startswith(f'    "{name}": {{') for line in lines) for name in below)
    assert len(lines) < len(below) + 1500


def test_a_schema_knows_the_checks_of_a_plugin(retspec: Any, plugin: Path, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    assert retspec("schema", "-o", path, "-p", plugin) == retspec("schema", "-o", path, "-p", plugin)
    assert "steps_to_share" in path.read_text()
    assert "steps_to_share" not in retspec("schema").out


def test_a_schema_that_cannot_be_written_is_told(retspec: Any, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "schema.json"
    finished = retspec("schema", "--output", path)
    assert (finished.code, finished.err) == (4, f"Error: cannot write {path}: No such file or directory\n")


def test_without_plugins_that_is_said(retspec: Any) -> None:
    finished = retspec("plugins", "--no-plugins")
    assert finished.code == 0
    assert finished.out.startswith("no plugins beside the built-in ones\nin all: ")


def test_a_named_plugin_is_listed_with_what_it_offers(retspec: Any, plugin: Path) -> None:
    finished = retspec("plugins", "-p", plugin)
    line = next(line for line in finished.out.splitlines() if line.startswith(str(plugin)))
    assert line.endswith("steps_to_share")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with two installed plugins, of which one does not load."""
    info = tmp_path / "eyes-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: eyes\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[retspec]\nbroken = eyes_broken\neyes = eyes\n")
    (tmp_path / "eyes.py").write_text(PLUGIN)
    (tmp_path / "eyes_broken.py").write_text("import a_module_that_is_not_there")
    return tmp_path


def test_an_installed_plugin_that_does_not_load_is_shown_with_its_reason(program: Any, installed: Path) -> None:
    finished = program("plugins", path=installed)
    assert finished.returncode == 0
    rows = {line.split()[0]: line for line in finished.stdout.splitlines() if line}
    assert rows["eyes"].split()[1:] == ["1.2", "eyes", "steps_to_share"]
    assert "does not load: ModuleNotFoundError: No module named 'a_module_that_is_not_there'" in rows["broken"]


def test_the_allow_list_is_told(program: Any, installed: Path) -> None:
    finished = program("plugins", path=installed, RETSPEC_PLUGINS="eyes")
    assert "RETSPEC_PLUGINS lets only these load: eyes" in finished.stdout
    assert "broken" not in finished.stdout


def test_a_check_that_a_broken_plugin_may_offer_is_told_so(program: Any, installed: Path) -> None:
    finished = program("checks", "no_such_check", path=installed)
    assert finished.returncode == 2
    assert "plugin 'broken' failed to load and may offer it" in finished.stderr
