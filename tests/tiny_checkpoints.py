"""Checkpoints of the tiny model, as training scripts leave them behind, and what loads them."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn

from tests.tiny import base

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


def initializes_after_loading() -> nn.Module:
    """A linear layer is made anew once the weights are loaded, as careless quantization does."""
    model = base()
    model.register_load_state_dict_post_hook(lambda module, _keys: module.blocks[1].mlp.fc1.reset_parameters())
    return model


def write_checkpoints(folder: Path) -> None:
    """Write the files that the cases name, in the layouts that training scripts leave behind."""
    torch.manual_seed(0)
    weights = base().state_dict()
    body = {name: tensor for name, tensor in weights.items() if not name.startswith("head.")}
    decoder = {name: torch.zeros(3) for name in ("mask_token", "decoder_embed.weight", "decoder_norm.bias")}
    bad = {**body, "blocks.0.norm1.weight": torch.full((48,), float("nan"))}
    torch.save({"model": {**body, **decoder}, "epoch": 3, "args": Namespace(lr=1e-3)}, folder / "mae.pth")
    torch.save({"state_dict": {f"module.{name}": t for name, t in body.items()}}, folder / "prefixed.pth")
    torch.save({name: tensor for name, tensor in body.items() if "blocks.1" not in name}, folder / "half.pth")
    torch.save(base(num_classes=7).state_dict(), folder / "seven-classes.pth")
    torch.save(bad, folder / "nan.pth")
    torch.save({"network": body}, folder / "odd-wrapper.pth")
    torch.save({f"encoder.{name}": tensor for name, tensor in body.items()}, folder / "odd-prefix.pth")
    torch.save({name: tensor.bfloat16() for name, tensor in body.items()}, folder / "half-precision.pth")
    torch.save(base(img_size=48).state_dict(), folder / "larger-image.pth")
    (folder / "cut-short.pth").write_bytes((folder / "mae.pth").read_bytes()[:5000])
    (folder / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1200000000\n")
    save_file(body, folder / "plain.safetensors")


class Loading(nn.Module):
    """A class of somebody's own: it loads its file itself, and peft's model is one attribute deep."""

    def __init__(self, weights: dict[str, Tensor], **sizes: int) -> None:
        super().__init__()
        model = base(**sizes)
        model.load_state_dict(weights, strict=False)
        settings = LoraConfig(r=4, target_modules=["qkv"], modules_to_save=["head"])
        self.backbone = get_peft_model(model, settings)

    def forward(self, images: Tensor) -> Tensor:
        return self.backbone(images)


def loads_itself(path: str) -> Loading:
    weights = torch.load(path)["state_dict"]
    return Loading({name.removeprefix("module."): tensor for name, tensor in weights.items()})


def loads_nothing(path: str) -> Loading:
    """The prefix `module.` stays on, and the result of a load that is not strict is thrown away."""
    return Loading(torch.load(path)["state_dict"])
