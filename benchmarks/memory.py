"""Estimated peak memory of a training step, for the models and setups of docs/memory.md, as its table."""

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING

import click
import timm
import torch
from peft import LoraConfig, get_peft_model
from tabulate import tabulate

from retspec.records import Recipe
from retspec.subjects.memory.dry_run import BatchShape
from retspec.subjects.memory.foresight import Foresight
from retspec.subjects.models.structure import set_grad_checkpointing
from retspec.subjects.training.making import TrainerMaker

if TYPE_CHECKING:
    from torch import nn

MODELS = {
    "ViT-S/14, 392 px": ("vit_small_patch14_dinov2", 392),
    "ViT-B/16, 224 px": ("vit_base_patch16_224", 224),
    "ViT-L/16, 224 px": ("vit_large_patch16_224", 224),
}
SIZES = (1, 2, 4, 8, 16, 32, 64)
HEADERS = ("model", "trained", "checkpointing", "amp", *map(str, SIZES), "fits in 24 GB")


@click.command(help=__doc__)
def main() -> None:
    """Print the table."""
    started = time.process_time()
    setups = product(MODELS, ("LoRA", "all"), (False, True), ("none", "bfloat16"))
    print(tabulate([_row(*setup) for setup in setups], HEADERS, tablefmt="github", disable_numparse=True))
    print(f"\n{time.process_time() - started:.0f} s of CPU time")


def _row(name: str, trained: str, checkpointing: bool, amp: str) -> list[str]:  # noqa: FBT001 - from a product
    side = MODELS[name][1]
    shape = BatchShape((3, side, side), (), torch.float32, torch.int64)
    foresight = Foresight(_model(name, trained, checkpointing), shape, TrainerMaker(Recipe(amp=amp)), target="cuda")
    largest = foresight.largest(24 * 10**9, known_to=SIZES[-1])
    peaks = [f"{foresight.estimate(size).peak / 1e9:.2f}" for size in SIZES]
    return [name, trained, "on" if checkpointing else "off", amp, *peaks, str(largest)]


def _model(name: str, trained: str, checkpointing: bool) -> nn.Module:  # noqa: FBT001 - the same
    with torch.device("meta"):
        model: nn.Module = timm.create_model(MODELS[name][0], img_size=MODELS[name][1], num_classes=5)
        if checkpointing:
            set_grad_checkpointing(model)
        if trained == "all":
            return model
        return get_peft_model(model, LoraConfig(r=8, target_modules=["qkv"], modules_to_save=["head"]))


if __name__ == "__main__":
    main()
