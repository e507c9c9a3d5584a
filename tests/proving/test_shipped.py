"""The shipped specs notice nine tenths of the faults that their subjects can have; here, on small models."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from peft import LoraConfig, get_peft_model
from timm import create_model

from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = {"img_size": 64, "embed_dim": 48, "depth": 2, "num_heads": 3}
TRAINABLE = 3_317
"""2 layers x 8 x (48 + 144) for the adapter, 5 x 49 for the head."""
COUNTS = (f"max_trainable_params={TRAINABLE}", f"min_trainable_params={TRAINABLE}", "lora_layers=2")
RANKS = "rank_params={4: 1_536, 8: 3_072, 16: 6_144}"


@dataclass(frozen=True)
class Shipped:
    """A spec, what makes its subject small, and the faults that it does not notice."""

    spec: str
    settings: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    unnoticed: frozenset[str] = frozenset()
    make: Callable[[Path], object] = lambda _folder: None
    """Writes what the spec names into the working directory."""

    @property
    def words(self) -> list[str]:
        """The command line."""
        settings = (*self.settings, *(f"checks.{each}" for each in self.checks), "run.threads=1", "run.device=cpu")
        return [f"specs/{self.spec}.yaml", *self.options, *(f"--set={each}" for each in settings)]


def of_timm(rate: str = "1e-2") -> tuple[str, ...]:
    """Return the settings of a small ViT."""
    sizes = [f"model.kwargs.{name}={size}" for name, size in SMALL.items()]
    return ("model.timm=vit_tiny_patch16_224", *sizes, f"train.lr={rate}")


def trained_adapter(folder: Path) -> None:
    """Train an adapter and save it."""
    torch.manual_seed(0)
    vit = create_model("vit_tiny_patch16_224", num_classes=5, global_pool="avg", **SMALL)
    model = get_peft_model(vit, LoraConfig(r=8, lora_alpha=32, target_modules=["qkv"], modules_to_save=["head"]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    images, labels = torch.randn(4, 3, 64, 64), torch.arange(4)
    for _ in range(10):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    model.save_pretrained(folder / "runs" / "aptos" / "adapter")


SHIPPED = (
    Shipped(
        "lora_preflight",
        of_timm(),
        (*COUNTS, RANKS, "sequence_length=17"),
        unnoticed=frozenset({"samples_mixed", "scale_forgotten"}),
    ),
    Shipped(
        "rank_sweep",
        ("model.kwargs.img_size=32",),
        options=("--cell=r=8",),
        unnoticed=frozenset({"samples_mixed", "other_patch_size"}),
    ),
    Shipped(
        "lora_full",
        of_timm(),
        (
            *COUNTS,
            RANKS,
            "max_trainable_fraction=0.1",
            "patch_count=16",
            "sequence_length=17",
            "embed_dim=48",
            "attention_shape=[4, 3, 17, 17]",
            "compile_atol={limit: 1e-4, skip: it takes minutes}",
            "min_fitting_batch_size={limit: 64, skip: it takes long}",
        ),
    ),
    Shipped("adapter_release", of_timm()[:-1], (*COUNTS, "sequence_length=17"), make=trained_adapter),
    Shipped("own_training", unnoticed=frozenset({"labels_off_by_one"})),
)


@pytest.mark.parametrize("shipped", SHIPPED, ids=[shipped.spec for shipped in SHIPPED])
def test_a_shipped_spec_notices_nine_tenths(shipped: Shipped, tmp_path: Path) -> None:
    for name in ("specs", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shipped.make(tmp_path)
    command = [sys.executable, "-m", "retspec", "prove", *shipped.words, "--min-noticed", "0.9", "--format", "json"]
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "plugins" / "retspec-retfound" / "src")))
    ended = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    proof = json.loads(ended.stdout)
    unmet = {
        each["id"]: each["answer"] for each in proof["criteria"] if each["answer"]["verdict"] not in {"met", "skipped"}
    }
    assert unmet == {}
    planted = [trial for trial in proof["trials"] if trial["tried"] == "planted"]
    assert {trial["fault"] for trial in planted if not trial["noticed_by"]} == shipped.unnoticed
