"""No command loads torch or its companions into its own process: only workers and probes do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import retspec
from retspec.cli.commands import COMMANDS
from tests.review.recorded import green_results_of

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / "tests" / "cases" / "configs" / "nested.yaml")
LORA = str(ROOT / "specs" / "lora_preflight.yaml")
HEAVY = {"torch", "timm", "peft", "torchvision", "numpy", "PIL", "transformers"}

SMALL = "model.kwargs={num_classes: 5, img_size: 32, depth: 1}"

LIGHT = {
    "validate": [["validate", LORA]],
    "plan": [["plan", LORA]],
    "show": [["show", LORA], ["show", LORA, "--json"]],
    "checks": [["checks"], ["checks", "loss_drop"], ["checks", "merge_atol"]],
    "init": [["init", "starter.yaml"], ["init", "--config", CONFIG]],
    "new-check": [["new-check", "my_check"]],
    "schema": [["schema"], ["schema", "--results"]],
    "plugins": [["plugins"]],
    "completion": [["completion", "bash"]],
    "prove": [["prove", LORA, "--list"]],
    "calibrate": [["calibrate", LORA, "--results", "results.json", "-o", "calibrated.yaml"]],
    "judge": [["judge", "results.json", "--spec", LORA]],
    "merge": [["merge", "results.json", "results.json"]],
    "report": [
        ["report", "results.json", "-o", "report.html"],
        ["report", "results.json", "results.json"],
        ["report", "results.json", "--format", "junit"],
    ],
    "compare": [["compare", "results.json", "results.json"]],
    "diff": [["diff", LORA, LORA]],
    "bless": [["bless", "results.json", "--to", "baseline.json", "--reason", "they are right"]],
    "verify": [["verify", "results.json", "--spec", LORA]],
}
"""In a folder with green results of the preflight, as `results.json`."""

PROOF = """
import sys
from retspec.cli import main
code = main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def modules_after(arguments: list[str], folder: Path) -> tuple[int, set[str]]:
    finished = subprocess.run(
        [sys.executable, "-c", PROOF, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, set(finished.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [call for calls in LIGHT.values() for call in calls], ids=" ".join)
def test_a_light_command_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(green_results_of(LORA))
    code, loaded = modules_after(arguments, tmp_path)
    assert code == 0
    assert "retspec.cli" in loaded
    assert not loaded & HEAVY


def test_the_package_imports_what_is_public_when_it_is_asked_for() -> None:
    proof = (
        "import sys, retspec; print(*sys.modules); import retspec.running; print(retspec.run, sorted(retspec.__all__) "
        "== sorted({*dir(retspec)} & {*retspec.__all__}), all(getattr(retspec, name) for name in retspec.__all__))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        [sys.executable, "-c", proof], env=environment, capture_output=True, text=True, check=True
    )
    loaded, public = finished.stdout.splitlines()
    assert not {"msgspec", "retspec.plugin", "retspec.records"} & {*loaded.split()}
    assert public.startswith("<function run at")
    assert public.endswith("> True True")
    with pytest.raises(AttributeError, match="module 'retspec' has no attribute 'rn'"):
        _ = retspec.rn  # type: ignore[attr-defined]


def test_validate_loads_nothing_that_only_a_run_or_a_report_needs(tmp_path: Path) -> None:
    code, loaded = modules_after(["validate", LORA], tmp_path)
    assert code == 0
    assert not loaded & {
        "retspec.engine.supervisor",
        "retspec.report.live",
        "retspec.subjects.subject",
        "tabulate",
        "jinja2",
    }


@pytest.mark.parametrize(
    "command", [["run", "-k", "lora_layers"], ["fit", "--memory", "1GB", "--batch-sizes", "1", "--set", SMALL]]
)
def test_a_command_that_measures_loads_nothing_heavy_into_its_own_process(command: list[str], spec: Path) -> None:
    code, loaded = modules_after([*command, spec.name], spec.parent)
    assert code == 0
    assert not loaded & HEAVY


def test_every_command_is_proved_light_here_or_in_its_own_tests() -> None:
    assert {*LIGHT, "run", "watch", "fit", "doctor"} == set(COMMANDS)
