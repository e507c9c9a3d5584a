"""The measurement `checkpoint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Checkpoint
from retspec.plugin import Cost, measurement
from retspec.subjects.state import fingerprint
from retspec.subjects.structure import own_name, unwrapped

if TYPE_CHECKING:
    from torch import Tensor, nn

    from retspec.subjects.checkpoints import Loaded


WRAPPED = {"base_layer", "original_module"}
"""What peft calls the module that it wraps, within the wrapper that takes its place."""


@measurement(cost=Cost.FORWARD)
def checkpoint(model: nn.Module, loaded: Loaded) -> Checkpoint:
    """Hold the weights of the wrapped model against the file that they were loaded from."""
    places = _places(model)
    weights = loaded.weights_for(unwrapped(model), places)
    frozen = {name: tensor for name, tensor in weights.items() if not places[name].requires_grad}
    return Checkpoint(
        loading=loaded.loading,
        nonfinite=tuple(name for name, tensor in weights.items() if not _is_finite(tensor)),
        compared=len(frozen),
        altered=tuple(name for name, tensor in frozen.items() if not _is_same(places[name], tensor)),
    )


def _places(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's tensors under the names that they had before an adapter wrapped it.

    Of a saved head the frozen original keeps the name: it is what the file filled.
    """
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {_name_in_file(name): tensor for name, tensor in tensors.items()}


def _name_in_file(name: str) -> str:
    parts = own_name(name).split(".")
    return ".".join(part for part in parts if part not in WRAPPED)


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())


def _is_same(place: Tensor, tensor: Tensor) -> bool:
    """Compare bits, so that NaN equals NaN; the fast way first."""
    here, there = place.detach().cpu(), tensor.to(place.dtype)
    return here.equal(there) or int(fingerprint(here)) == int(fingerprint(there))
