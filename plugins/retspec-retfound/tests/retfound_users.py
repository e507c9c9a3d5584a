"""Models as users of RETFound write them: classes of their own, some with what goes wrong."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timm
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from torch.utils.checkpoint import checkpoint

if TYPE_CHECKING:
    from torch import Tensor

TINY = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2}
CLASSES = 5


def tiny(**options: Any) -> Any:
    """RETFound's architecture, small: the mean of the patches, then the norm."""
    return timm.create_model(
        "vit_large_patch16_224", **{"global_pool": "avg", "num_classes": CLASSES, **TINY, **options}
    )


def write_tiny(folder: Path) -> None:
    """Write a pre-training file for `tiny`, also in the layouts of DINOv2 and DataParallel, and one of more pixels."""
    torch.manual_seed(1)
    weights = {
        name: torch.randn_like(tensor) for name, tensor in tiny(num_classes=0, fc_norm=False).state_dict().items()
    }
    larger = tiny(num_classes=0, fc_norm=False, img_size=64).pos_embed
    decoder = {"mask_token": torch.zeros(1, 1, 24), "decoder_embed.weight": torch.zeros(24, 48)}
    torch.save({"model": weights | decoder, "epoch": 799, "args": Namespace(input_size=32)}, folder / "tiny.pth")
    torch.save({"model": {f"module.{name}": each for name, each in weights.items()}}, folder / "tiny_parallel.pth")
    torch.save({"teacher": {f"backbone.{name}": each for name, each in weights.items()}}, folder / "tiny_teacher.pth")
    torch.save({"model": {**weights, "pos_embed": larger}}, folder / "tiny_larger.pth")


class RETFoundLoRA(nn.Module):
    """The usual class: it builds, loads and wraps by itself, and peft's model is one attribute deep."""

    def __init__(
        self,
        checkpoint_path: str,
        num_classes: int = CLASSES,
        lora_r: int = 8,
        lora_alpha: float = 32,
        *,
        unwrap: str = "model",
        prefix: str = "",
        **options: Any,
    ) -> None:
        """Load what lies under the key `unwrap`, behind `prefix`."""
        super().__init__()
        model = tiny(num_classes=num_classes, **options)
        with torch.serialization.safe_globals([Namespace]):
            held = torch.load(checkpoint_path) if Path(checkpoint_path).exists() else {}
        own = model.state_dict()
        weights = {name.removeprefix(prefix): tensor for name, tensor in held.get(unwrap, held).items()}
        fitting = {k: v for k, v in weights.items() if k not in own or own[k].shape == getattr(v, "shape", None)}
        model.load_state_dict(fitting, strict=False)
        settings = LoraConfig(r=lora_r, lora_alpha=lora_alpha, target_modules=["qkv"], modules_to_save=["head"])
        self.encoder = get_peft_model(model, settings)

    def forward(self, images: Tensor) -> Tensor:
        return self.encoder(images)


class FcNormTwice(RETFoundLoRA):
    """The authors' class under timm 0.9 to 1.0.3: its features end in fc_norm, and timm's head begins with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        inner = self.encoder.base_model.model
        inner.pool = lambda tokens, pool_type=None: inner.fc_norm(tokens[:, 1:].mean(dim=1))  # noqa: ARG005


class Epsilon(RETFoundLoRA):
    """A re-implementation with the default of nn.LayerNorm, 1e-5."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.encoder.base_model.model.fc_norm.eps = 1e-5


class Requantized(RETFoundLoRA):
    """Every linear layer of the MLPs is created again once the weights are loaded."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for block in self.encoder.base_model.model.blocks:
            block.mlp.fc1 = nn.Linear(48, 192)
            block.mlp.fc1.requires_grad_(requires_grad=False)


class HeadReplaced(RETFoundLoRA):
    """A head for three grades, set on the wrapped model: peft keeps using the old one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.encoder.head = nn.Linear(48, 3)


class LinearProbe(RETFoundLoRA):
    """The authors' rule for linear probing, by the word "head" in the name, on a model that peft has wrapped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, parameter in self.encoder.named_parameters():
            parameter.requires_grad = "head" in name


class Reentrant(RETFoundLoRA):
    """Gradient checkpointing of the old kind behind frozen embeddings: no gradient comes through."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for block in self.encoder.base_model.model.blocks:
            block.forward = _checkpointed(block.forward)


def _checkpointed(forward: Any) -> Any:
    return lambda tokens, **_options: checkpoint(forward, tokens, use_reentrant=True)


def half(**options: Any) -> nn.Module:
    """The base is cast to half precision before it is wrapped: so is the copy of the head that trains."""
    model = tiny(**options).half()
    return get_peft_model(model, LoraConfig(r=8, target_modules=["qkv"], modules_to_save=["head"]))


def adapter_on_another_base(folder: str) -> nn.Module:
    """An adapter is saved with the pre-trained base, and loaded onto one without weights."""
    adapter = Path(folder) / "adapter"
    RETFoundLoRA(str(Path(folder) / "tiny.pth")).encoder.save_pretrained(adapter)
    return PeftModel.from_pretrained(tiny(), adapter, is_trainable=True)
