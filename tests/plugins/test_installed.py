"""The example package, installed by pip, and a plugin that does not load, seen from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.plugins.conftest import ROOT, install_into
from tests.plugins.samples import CHECK, FACTORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.samples import Write

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

OFFERS = ["dead_features", "features", "gratings", "min_feature_rank", "min_feature_spread"]

FEATURES = """\
retspec: 1
name: features
model: {factory: "tiny_plugin_model:build"}
data:
  gratings: {input_size: [3, 8, 8], cycles: 2}
train: {batch_size: 8}
run: {device: cpu}
checks:
  min_feature_rank: 0.2
  dead_features:
    limit: 0.9
"""

RETFOUND = """\
retspec: 1
model: {retfound: large, num_classes: 5}
checks:
  retfound_pooling: large
  retfound_checkpoint_role: foundation-mae
"""

TRAINING = """\
retspec: 1
model: {factory: "tiny_plugin_model:build"}
data:
  synthetic: {input_size: [3, 8, 8]}
train: {steps: 3}
run: {device: cpu}
checks:
  steps_taken: 3
"""


@pytest.fixture(autouse=True)
def _model(write: Write) -> None:
    write("tiny_plugin_model.py", FACTORY)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a plugin whose module raises."""
    install_into(tmp_path / "site", "gone", "raise RuntimeError('no licence found')")
    return tmp_path / "site"


def results(folder: Path, stem: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "reports" / stem / "results.json").read_text())
    return report


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {result["criterion"]["id"]: result["verdict"] for result in report["results"]}


# The example package -------------------------------------------------------------------------------


def test_it_is_listed_with_its_version_and_all_that_it_offers(program: Any, site: Path) -> None:
    finished = program("plugins", path=site)
    assert finished.returncode == 0, finished.stderr
    row = next(line for line in finished.stdout.splitlines() if line.startswith("features "))
    assert row.split(maxsplit=3) == ["features", "0.1.0", "retspec_features", ", ".join(OFFERS)]


def test_the_models_of_retfound_come_as_a_package_too(program: Any, site: Path, write: Write) -> None:
    spec = write("retfound.yaml", RETFOUND)
    assert program("validate", spec, path=site).returncode == 0
    wrong = program("validate", spec, "--set", "model.retfound=lrage", path=site)
    assert wrong.returncode == 2
    assert "did you mean 'large'?" in wrong.stderr


def test_the_schema_offers_its_checks_and_its_source(program: Any, site: Path) -> None:
    schema = json.loads(program("schema", path=site).stdout)
    sections = schema["else"]["properties"]  # of a spec that extends nothing
    checks = sections["checks"]["properties"]
    assert {"min_feature_rank", "min_feature_spread", "dead_features", "loss_drop"} <= set(checks)
    assert "gratings" in sections["data"]["properties"]
    assert set(schema["definitions"]["Gratings"]["properties"]) == {"input_size", "num_classes", "cycles"}


def test_loading_it_does_not_load_torch(site: Path) -> None:
    gathered = "from retspec.plugins.catalog import gather; print(*gather().checks, *(sys.modules.keys() & {'torch'}))"
    proof = f"import sys; {gathered}"
    finished = subprocess.run(
        [sys.executable, "-c", proof],
        env={"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "dead_features" in finished.stdout.split()
    assert "torch" not in finished.stdout.split()


def test_a_run_measures_and_judges_with_it(program: Any, site: Path, write: Write, tmp_path: Path) -> None:
    finished = program("run", write("features.yaml", FEATURES), path=site)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    report = results(tmp_path, "features")
    assert verdicts(report) == {"min_feature_rank": "met", "dead_features": "met"}
    assert report["results"][0]["observed"]["value"] > 0.2
    assert report["provenance"]["plugins"]["features"] == "0.1.0"
    (facts,) = (measured["facts"] for measured in report["measurements"] if measured["key"] == "features")
    assert (facts["images"], facts["width"]) == (8, 16)


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(["--no-plugins"], {}), ([], {"RETSPEC_PLUGINS": "another"})],
    ids=["no-plugins", "allow-list"],
)
def test_a_spec_that_needs_it_is_refused_without_it(
    program: Any, site: Path, write: Write, arguments: list[str], variables: dict[str, str]
) -> None:
    finished = program("run", write("features.yaml", FEATURES), *arguments, path=site, **variables)
    assert finished.returncode == 2
    assert "features.yaml:9:3: unknown check 'min_feature_rank'" in finished.stderr
    assert "Traceback" not in finished.stderr


# A file --------------------------------------------------------------------------------------------


def test_a_plugin_by_p_runs_beside_one_that_does_not_load(
    program: Any, broken: Path, write: Write, tmp_path: Path
) -> None:
    """A broken plugin that the spec does not need leaves it green."""
    plugin = write("mine/steps.py", CHECK.format(name="steps_taken"))
    finished = program("run", "-p", plugin, write("training.yaml", TRAINING), path=broken)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    report = results(tmp_path, "training")
    assert verdicts(report) == {"steps_taken": "met"}
    assert report["results"][0]["observed"]["value"] == 3


def test_a_plugin_named_in_a_spec_lies_relative_to_it(program: Any, write: Write, tmp_path: Path) -> None:
    write("specs/mine/steps.py", CHECK.format(name="steps_taken"))
    write("specs/tiny_plugin_model.py", FACTORY)
    missed = TRAINING.replace("steps_taken: 3", "steps_taken: 2")
    spec = write("specs/training.yaml", missed.replace("retspec: 1", "retspec: 1\nplugins: [mine/steps.py]"))
    finished = program("run", spec, path=tmp_path)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert verdicts(results(tmp_path, "training")) == {"steps_taken": "missed"}
    assert "Warm up for fewer steps." in finished.stdout


# A plugin that does not load -----------------------------------------------------------------------


def test_a_plugin_that_does_not_load_is_shown_with_its_reason(program: Any, broken: Path) -> None:
    finished = program("plugins", path=broken)
    assert finished.returncode == 0
    row = next(line for line in finished.stdout.splitlines() if line.startswith("gone "))
    assert row.split(maxsplit=3)[1:3] == ["1.2", "gone_module"]
    assert row.endswith("does not load: RuntimeError: no licence found (gone_module.py:1)")


def test_a_spec_that_names_an_unknown_check_is_told_of_it(program: Any, broken: Path, write: Write) -> None:
    finished = program("validate", write("training.yaml", TRAINING), path=broken)
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert "training.yaml:8:3: unknown check 'steps_taken'" in line
    assert "plugin 'gone' failed to load and may offer it: RuntimeError: no licence found" in line
