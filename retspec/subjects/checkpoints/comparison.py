"""Compare a file with a model that other code has filled, and perhaps wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.subjects.checkpoints.sets import tensors_of
from retspec.subjects.models.state import fingerprint
from retspec.subjects.models.structure import added_tensors, own_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

    from retspec.subjects.checkpoints.placement import Placement

_WRAPPED = {"base_layer", "original_module"}
"""What peft calls the module that it wraps, within the wrapper that takes its place."""
_ALIKE = 0.3
"""Cosine above which two position embeddings are resamplings of one: unrelated ones of a ViT-S have 0.01 at most."""


@dataclass(frozen=True)
class Part:
    """A module of a model, and the tensors in it under the names that they had before an adapter wrapped it.

    The frozen original of a saved head keeps the name: the file filled that one.
    """

    module: nn.Module
    places: Mapping[str, Tensor]


def parts(model: nn.Module) -> Iterator[Part]:
    """Yield the model and every module with more than half of its tensors, outer modules first.

    A user's class may keep the network that the file fills in an attribute.
    """
    added = added_tensors(model)
    tensors = tensors_of(model.state_dict(keep_vars=True))
    places = {_name_in_file(name): tensor for name, tensor in tensors.items() if id(tensor) not in added}
    modules = {_name_in_file(f"{name}.") if name else "": module for name, module in model.named_modules()}
    for prefix, module in modules.items():
        inside = {name.removeprefix(prefix): tensor for name, tensor in places.items() if name.startswith(prefix)}
        if 2 * len(inside) > len(places):
            yield Part(module, inside)


def altered(fitted: Placement, *, exactly: bool) -> tuple[str, ...]:
    """Return the names of tensors that fit by name and shape, but differ from the file.

    exactly: whether resampled tensors must be equal too; other code may resample in another way.
    """
    resampled = () if exactly else fitted.resampled
    return tuple(
        name
        for name, tensor in fitted.fitting.items()
        if not (_is_alike if name in resampled else _is_same)(fitted.places[name], tensor)
    )


def _is_same(place: Tensor, tensor: Tensor) -> bool:
    """Whether two tensors of one shape are equal bit by bit in the model's dtype, so that NaN equals NaN."""
    here, there = place.detach().cpu(), tensor.to(place.dtype)
    return here.equal(there) or int(fingerprint(here)) == int(fingerprint(there))


def _is_alike(place: Tensor, tensor: Tensor) -> bool:
    """Whether two tensors of one shape point the same way: then either may be a resampling of the same weights."""
    from torch.nn import functional

    return bool(functional.cosine_similarity(place.detach().cpu().flatten(), tensor.flatten(), dim=0) > _ALIKE)


def _name_in_file(name: str) -> str:
    return ".".join(part for part in own_name(name).split(".") if part not in _WRAPPED)
