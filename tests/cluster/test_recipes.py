"""The recipes for schedulers without an engine: each is held against the schema of its tool, where that is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.cluster.tools import ROOT, lines, spec_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RECIPES = ROOT / "examples" / "cluster"


def recipe(name: str) -> Any:
    return yaml.safe_load((RECIPES / name).read_text(encoding="utf-8"))


def test_the_shell_script_measures_one_cell_by_its_number(tmp_path: Path) -> None:
    """The first cell, `seed=1`, is a part of the name of another."""
    spec = spec_in(tmp_path, {"one": {}}, matrix={"seed": [1, 12]}, run={"seed": "${matrix.seed}"})
    results = tmp_path / "results" / "0.json"
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, command in {"retspec": f'"{sys.executable}" -m retspec', "python3": f'"{sys.executable}"'}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{programs}:{os.environ['PATH']}"}
    command = ["sh", RECIPES / "cell.sh", spec.name, "0", results, "--no-reports"]
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert lines(spec, "one") == 1
    assert json.loads(results.read_text())["cells"][0]["cell"] == "seed=1"


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_kubernetes_takes_the_job(version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="needs `pip install kubernetes-validate`")
    validator.validate(recipe("kubernetes_job.yaml"), version, strict=True)


def test_the_job_has_an_index_for_each_cell_and_measures_again_only_what_may_change() -> None:
    job = recipe("kubernetes_job.yaml")["spec"]
    assert job["completionMode"] == "Indexed"
    assert job["maxFailedIndexes"] == job["completions"]
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # backoffLimitPerIndex needs it
    (_, failing) = job["podFailurePolicy"]["rules"]
    (container,) = job["template"]["spec"]["containers"]
    assert failing["onExitCodes"]["containerName"] == container["name"]
    assert {0, 3} & {*failing["onExitCodes"]["values"]} == set()
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in job["template"]["spec"]["volumes"]}


def test_skypilot_takes_the_task() -> None:
    schemas = pytest.importorskip("sky.utils.schemas", reason="needs `pip install skypilot`")
    from jsonschema import Draft202012Validator

    task = recipe("skypilot.yaml")
    _require_valid(Draft202012Validator, task, schemas.get_task_schema())
    _require_valid(Draft202012Validator, task["resources"], schemas.get_resources_schema())
    for mount in task["file_mounts"].values():
        _require_valid(Draft202012Validator, mount, schemas.get_storage_schema())


def _require_valid(validator: Any, value: Any, schema: Mapping[str, Any]) -> None:
    assert [error.message for error in validator(schema).iter_errors(value)] == []


def test_dstack_takes_the_task() -> None:
    models = pytest.importorskip(
        "dstack._internal.core.models.configurations", reason="needs `pip install dstack`", exc_type=ImportError
    )
    task = models.parse_apply_configuration(recipe("retspec.dstack.yml"))
    assert task.type == "task"


def test_hydra_composes_the_launcher() -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs `pip install hydra-submitit-launcher`")
    command = [sys.executable, RECIPES / "hydra_submitit.py", "--cfg", "hydra", "--package", "hydra.launcher"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    launcher = yaml.safe_load(finished.stdout)
    assert launcher["_target_"].endswith(".SlurmLauncher")
    assert (launcher["gpus_per_node"], launcher["cpus_per_task"], launcher["timeout_min"]) == (1, 8, 60)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.y*ml")), ids=lambda path: path.name)
def test_each_recipe_begins_with_what_to_put_in(path: Path) -> None:
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# One ")
    assert " Put in: " in first
    assert second.startswith("#   ")
