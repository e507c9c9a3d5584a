"""The measurement `retfound_layout`: what a checkpoint is, by its names and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement
from retspec.toolkit import weights_in

from retspec_retfound.facts import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.toolkit import File
    from torch import Tensor

_PATCHES = "patch_embed.proj.weight"
_NAMES = ("cls_token", "pos_embed", _PATCHES, "patch_embed.proj.bias")
"""Tensors that every one of these backbones has, whatever prefix its names have."""
_REGISTERS = ("reg_token", "register_tokens")


@measurement(cost=Cost.STATIC)
def retfound_layout(checkpoint_file: File) -> Layout:
    """Read the names and shapes of a checkpoint; the weights stay on disk where the format allows that.

    Raises SubjectError when the file cannot be read safely.
    """
    weights = weights_in(checkpoint_file, _NAMES)
    tensors = weights.tensors
    width, _, patch_size, _ = _shape(tensors, [_PATCHES], 4)
    heads = [tensor for name, tensor in tensors.items() if name.startswith("head.") and tensor.dim() > 1]
    return Layout(
        wrapper=weights.wrapper,
        prefixes=weights.prefixes,
        tensors=len(tensors),
        width=width,
        patch_size=patch_size,
        positions=_shape(tensors, ["pos_embed"], 3)[1],
        registers=_shape(tensors, _REGISTERS, 3)[1],
        head_classes=heads[0].shape[0] if heads else 0,
        decoder=any(name.startswith("decoder_") for name in tensors),
        self_distilled=weights.wrapper == "teacher" or any(name.startswith(("dino_", "ibot_")) for name in tensors),
    )


def _shape(tensors: Mapping[str, Tensor], names: list[str] | tuple[str, ...], dims: int) -> tuple[int, ...]:
    """Return the shape of the first of these tensors that has so many dimensions, or zeros."""
    shapes = (tuple(tensors[name].shape) for name in names if name in tensors)
    return next((shape for shape in shapes if len(shape) == dims), (0,) * dims)
