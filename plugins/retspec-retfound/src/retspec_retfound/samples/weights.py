"""Random weights in the layouts of the published checkpoints: names, shapes and wrappers are true, numbers noise."""

from __future__ import annotations

from argparse import Namespace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from retspec_retfound.building import retfound
from retspec_retfound.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

SHALLOW = 2
"""Blocks of a sample without `--full-size`."""
DECODER_WIDTH, DECODER_BLOCKS, DECODER_HEADS = 512, 8, 16
"""Of RETFound's masked autoencoder (f5ab012, models_mae.py:14-75)."""
DINO_WIDTHS, PROTOTYPES = (2048, 2048, 256), 1024
"""Layers of the heads of DINO and iBOT; the true ones end in more prototypes."""
PRETRAINING_PIXELS = 518
"""What the position embeddings of the DINOv2 teacher are made for."""
SPREAD = 0.02
CLASSES = 5


def write_checkpoint(kind: str, folder: Path, *, depth: int | None = None) -> Path:
    """Write one file of a kind (see `KINDS`) into a folder and return its path.

    depth: blocks of the encoder, all by default. The decoder is then as shallow as the encoder is.

    Only one copy of the weights is held: torch.save writes them out tensor by tensor.
    """
    import torch

    path = folder / f"RETFound_{kind}.pth"
    torch.save(KINDS[kind](depth or CONTRACTS[_backbone(kind)].depth), path)
    return path


def _backbone(kind: str) -> str:
    return "large" if kind in {"mae", "finetuned"} else kind


def _mae(depth: int) -> dict[str, Any]:
    weights = _weights(_encoder("large", depth) | _decoder(min(depth, DECODER_BLOCKS)))
    return {"model": weights, "epoch": 799, "args": Namespace(model="mae_vit_large_patch16", input_size=224)}


def _finetuned(depth: int) -> dict[str, Any]:
    model = _hollow("large", depth)
    arguments = Namespace(model="RETFound_mae", nb_classes=CLASSES, global_pool=True)
    return {"model": _weights(model.state_dict()), "epoch": 49, "args": arguments}


def _dinov2(depth: int) -> dict[str, Any]:
    backbone = _encoder("dinov2", depth, img_size=PRETRAINING_PIXELS) | {
        "mask_token": _shape(1, CONTRACTS["dinov2"].width)
    }
    shapes = {f"backbone.{name}": shape for name, shape in backbone.items()}
    for head in ("dino_head", "ibot_head"):
        shapes |= {f"{head}.{name}": shape for name, shape in _self_distillation_head().items()}
    return {"teacher": _weights(shapes)}


def _green(depth: int) -> dict[str, Any]:
    return _weights(_encoder("green", depth))


KINDS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "mae": _mae,
    "finetuned": _finetuned,
    "dinov2": _dinov2,
    "green": _green,
}
"""What makes the content of a file, from its number of blocks: `mae` and `dinov2` are the two foundations of RETFound,
`finetuned` is the first of them with a head of five classes, `green` is RETFound_Green."""


def _hollow(backbone: str, depth: int, **options: Any) -> nn.Module:
    import torch

    with torch.device("meta"):
        model: nn.Module = retfound(backbone, num_classes=CLASSES, depth=depth, **options)
        return model


def _encoder(backbone: str, depth: int, **options: Any) -> dict[str, Tensor]:
    """Return the shapes of a backbone as pre-training leaves it: one norm at the end, no head."""
    shapes = _hollow(backbone, depth, global_pool="token", **options).state_dict()
    return {name: tensor for name, tensor in shapes.items() if not name.startswith("head.")}


def _decoder(blocks: int) -> dict[str, Tensor]:
    """Return the shapes of what a masked autoencoder has beyond its encoder."""
    import torch
    from timm.models.vision_transformer import Block
    from torch import nn

    large = CONTRACTS["large"]
    with torch.device("meta"):
        modules = nn.ModuleDict(
            {
                "decoder_embed": nn.Linear(large.width, DECODER_WIDTH),
                "decoder_blocks": nn.ModuleList(
                    Block(DECODER_WIDTH, DECODER_HEADS, qkv_bias=True) for _ in range(blocks)
                ),
                "decoder_norm": nn.LayerNorm(DECODER_WIDTH),
                "decoder_pred": nn.Linear(DECODER_WIDTH, 3 * large.patch_size**2),
            }
        )
    positions = _shape(1, large.patches + 1, DECODER_WIDTH)
    return {"mask_token": _shape(1, 1, DECODER_WIDTH), "decoder_pos_embed": positions, **modules.state_dict()}


def _self_distillation_head() -> dict[str, Tensor]:
    widths = (CONTRACTS["dinov2"].width, *DINO_WIDTHS)
    layers: dict[str, Tensor] = {}
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        layers |= {f"mlp.{2 * index}.weight": _shape(outputs, inputs), f"mlp.{2 * index}.bias": _shape(outputs)}
    last = {"last_layer.weight_g": _shape(PROTOTYPES, 1), "last_layer.weight_v": _shape(PROTOTYPES, widths[-1])}
    return layers | last


def _shape(*sizes: int) -> Tensor:
    import torch

    return torch.empty(sizes, device="meta")


def _weights(shapes: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return seeded numbers of these shapes: norms and scales of one, biases of zero, everything else small noise."""
    import torch

    generator = torch.Generator().manual_seed(0)

    def numbers(name: str, shape: Tensor) -> Tensor:
        if shape.dim() > 1:
            return torch.empty(shape.shape).normal_(0, SPREAD, generator=generator)
        return torch.zeros(shape.shape) if name.endswith("bias") else torch.ones(shape.shape)

    return {name: numbers(name, shape) for name, shape in shapes.items()}
