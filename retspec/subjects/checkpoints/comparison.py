"""Holding a file against a model that somebody else has filled, and perhaps wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.subjects.checkpoints.matching import tensors_of
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

    Of a saved head the frozen original keeps the name: it is what the file filled.
    """

    module: nn.Module
    places: Mapping[str, Tensor]


def parts(model: nn.Module) -> Iterator[Part]:
    """Yield the model, and every module in it that holds more than half of its tensors, the larger before the smaller.

    A class of the user's own may keep the network that a file fills one attribute deep.
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
    """Return the names of what fits by name and shape, and is not what the file says.

    exactly: whether what was resampled must be equal too; there are many ways to resample, and only one is ours.
    """
    resampled = () if exactly else fitted.resampled
    return tuple(
        name
        for name, tensor in fitted.fitting.items()
        if not (_is_alike if name in resampled else _is_same)(fitted.places[name], tensor)
    )


def _is_same(place: Tensor, tensor: Tensor) -> bool:
    """Whether a tensor is the file's, bit by bit in the model's dtype, so that NaN equals NaN; the fast way first."""
    here, there = place.detach().cpu(), tensor.to(place.dtype)
    return here.equal(there) or int(fingerprint(here)) == int(fingerprint(there))


def _is_alike(place: Tensor, tensor: Tensor) -> bool:
    """Whether a tensor comes from the file's by some resampling or other."""
    from torch.nn import functional

    return bool(functional.cosine_similarity(place.detach().cpu().flatten(), tensor.flatten(), dim=0) > _ALIKE)


def _name_in_file(name: str) -> str:
    return ".".join(part for part in own_name(name).split(".") if part not in _WRAPPED)
