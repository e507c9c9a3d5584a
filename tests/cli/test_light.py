"""No command loads torch or its companions into its own process: only workers and probes do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retspec.cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / "tests" / "cases" / "configs" / "nested.yaml")
LORA = str(ROOT / "specs" / "lora_preflight.yaml")
HEAVY = {"torch", "timm", "peft", "torchvision", "numpy", "transformers"}

LIGHT = {
    "validate": [["validate", LORA]],
    "plan": [["plan", LORA]],
    "checks": [["checks"], ["checks", "loss_drop"], ["checks", "merge_atol"]],
    "init": [["init", "starter.yaml"], ["init", "--config", CONFIG]],
    "schema": [["schema"], ["schema", "--results"]],
    "plugins": [["plugins"]],
    "completion": [["completion", "bash"]],
}

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
    code, loaded = modules_after(arguments, tmp_path)
    assert code == 0
    assert "retspec.cli" in loaded
    assert not loaded & HEAVY


def test_a_run_loads_nothing_heavy_into_its_own_process(spec: Path) -> None:
    code, loaded = modules_after(["run", spec.name, "-k", "lora_layers"], spec.parent)
    assert code == 0
    assert not loaded & HEAVY


def test_every_command_is_proved_light_here_or_in_its_own_tests() -> None:
    assert {*LIGHT, "run", "doctor"} == set(COMMANDS)
