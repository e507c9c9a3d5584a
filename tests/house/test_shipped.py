"""What is shipped beside the code agrees with it: specs, results, commands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from retspec.cli.commands import COMMANDS
from retspec.plugins.catalog import gather
from retspec.report.formats.results import json as render
from retspec.spec.load import load_cells, plugins_of
from retspec.spec.validate import validate_cells
from tests.house.refresh import RESULTS_SCHEMA, ROOT
from tests.report.formats.sample import sample

if TYPE_CHECKING:
    from pathlib import Path

SPECS = sorted((ROOT / "specs").glob("*.yaml"))
NEEDING_PLUGINS = {"retfound_large_preflight": "retspec_retfound", "retfound_green_preflight": "retspec_retfound"}
"""Specs that are about what a plugin of this repository offers."""
PLAIN = [path for path in SPECS if path.stem not in NEEDING_PLUGINS]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


# Specs ---------------------------------------------------------------------------------------------


def test_specs_are_shipped() -> None:
    assert {"lora_preflight", *NEEDING_PLUGINS} <= {path.stem for path in SPECS}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_shipped_spec_is_valid_with_no_plugin_but_the_one_that_it_is_about(path: Path) -> None:
    documents = load_cells(path)
    needed = NEEDING_PLUGINS.get(path.stem)
    assert plugins_of(documents[0]) == ((needed,) if needed else ())
    for spec in validate_cells(documents, gather(plugins_of(documents[0]), entry_points=False)):
        assert spec.name == path.stem
        assert spec.criteria
        assert spec.description


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_an_editor_finds_the_schema_that_a_shipped_spec_names(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named
    assert (path.parent / named[1]).is_file()


# Results -------------------------------------------------------------------------------------------


@pytest.fixture
def results() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(render(sample()))
    return read


@pytest.fixture
def results_schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / RESULTS_SCHEMA).read_text(encoding="utf-8")))


def test_a_report_with_every_verdict_is_valid_under_the_schema_of_results(
    results: dict[str, Any], results_schema: Draft202012Validator
) -> None:
    assert [error.message for error in results_schema.iter_errors(results)] == []


@pytest.mark.parametrize(
    ("field", "value"), [("retspec", 2), ("results", None), ("seconds", "long"), ("interrupted", 0.5)]
)
def test_a_report_of_another_shape_is_not(
    field: str, value: Any, results: dict[str, Any], results_schema: Draft202012Validator
) -> None:
    assert not results_schema.is_valid(results | {field: value})


def test_a_verdict_that_does_not_exist_is_refused(
    results: dict[str, Any], results_schema: Draft202012Validator
) -> None:
    results["results"][0]["verdict"] = "green"
    assert not results_schema.is_valid(results)


# Commands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_console_command_has_help(script: str, command: str) -> None:
    module, _, function = SCRIPTS[script].partition(":")
    words = [script, *command.split()]
    start = f"import sys; from {module} import {function}; sys.exit({function}())"
    finished = subprocess.run(
        [sys.executable, "-c", start, *words[1:], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith(f"Usage: {' '.join(words)} ")
