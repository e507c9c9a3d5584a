"""The shipped specs of both backbones notice nine tenths of the faults that can be planted; here, of two blocks
and sixteen patches."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from retspec_retfound.cli import main

pytestmark = pytest.mark.no_cover  # it runs in processes of its own

ROOT = Path(__file__).parents[3]
LATER = re.compile(r"blocks[.]([2-9]|1[01])[.]")
"""Names of what is in a block after the second."""


def sample(folder: Path, kind: str) -> Path:
    """Write a checkpoint of two blocks in the layout of its authors."""
    finished = CliRunner().invoke(main, ["make-sample", str(folder), "--kind", kind, "--no-images"])
    assert finished.exit_code == 0, finished.output
    (file,) = folder.glob("*.pth")
    if kind == "green":
        weights = torch.load(file)
        torch.save({name: tensor for name, tensor in weights.items() if not LATER.match(name)}, file)
    return file


@pytest.mark.parametrize(
    ("spec", "kind", "side", "tokens", "trainable"),
    [("retfound_large_preflight", "mae", 64, 17, 70_661), ("retfound_green_preflight", "green", 56, 21, 26_501)],
)
def test_a_shipped_spec_notices_nearly_all(
    spec: str, kind: str, side: int, tokens: int, trainable: int, tmp_path: Path
) -> None:
    counts = {
        "lora_layers": 2,
        "max_trainable_params": trainable,
        "min_trainable_params": trainable,
        "patch_count": 16,
        "sequence_length": tokens,
        "checkpoint_coverage": 0.99,
    }
    checks = [f"--set=checks.{name}={value}" for name, value in counts.items()]
    sizes = {"model.img_size": side, "model.depth": 2, "train.steps": 3, "train.lr": "5e-3", "run.threads": 1}
    small = [f"--set={place}={value}" for place, value in sizes.items()]
    command = ["-m", "retspec", "prove", str(ROOT / "specs" / f"{spec}.yaml"), *small, *checks, "--format=json"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins" / "retspec-retfound" / "src")])
    ended = subprocess.run(  # noqa: S603 - our own
        [sys.executable, *command, "--no-reports"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "RETFOUND_CHECKPOINT": str(sample(tmp_path, kind))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    proof = json.loads(ended.stdout)
    unmet = {each["id"]: each["answer"] for each in proof["criteria"] if each["answer"]["verdict"] != "met"}
    assert unmet == {}
    planted = [trial for trial in proof["trials"] if trial["tried"] == "planted"]
    assert {trial["fault"] for trial in planted if not trial["noticed_by"]} <= {"softmax_twice"}
