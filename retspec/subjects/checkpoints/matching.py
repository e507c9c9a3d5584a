"""Finding the weights in what a file holds: under which key, behind which prefixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.subjects.checkpoints.reading import read

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import Tensor

    from retspec.subjects.checkpoints.files import File

WRAPPERS = ("model", "state_dict", "teacher")
"""Keys under which training scripts save weights beside an optimizer, an epoch, their arguments."""
PREFIXES = ("module.", "backbone.", "_orig_mod.", "base_model.model.")
"""What DataParallel, the wrappers of self-supervised training, torch.compile and peft put in front of names."""
_MOST_PREFIXES = 4


@dataclass(frozen=True)
class Weights:
    """Named tensors as they are found in a file: under a key, their names behind prefixes that were taken off."""

    tensors: Mapping[str, Tensor]
    wrapper: str = ""
    prefixes: tuple[str, ...] = ()


def weights_in(file: File, names: Collection[str]) -> Weights:
    """Return the weights in a checkpoint, under the key and without the prefixes with which most names are there.

    Empty weights where there are none. Raises SubjectError when the file cannot be read, or not safely.
    """
    candidates = found(read(file).value)
    return best(candidates, names) if candidates else Weights({})


def found(value: Any) -> list[Weights]:
    """Return the weights under each known key of what a file holds, and at its top, as far as there are any."""
    if not isinstance(value, Mapping):
        return []
    places = {**{key: value.get(key) for key in WRAPPERS}, "": value}
    return [Weights(tensors, wrapper) for wrapper, held in places.items() if (tensors := tensors_of(held))]


def tensors_of(held: Any) -> dict[str, Tensor]:
    """Return the tensors of a mapping by their names."""
    import torch

    entries = held.items() if isinstance(held, Mapping) else ()
    return {name: value for name, value in entries if isinstance(name, str) and isinstance(value, torch.Tensor)}


def best(candidates: list[Weights], names: Collection[str]) -> Weights:
    """Return the weights, with or without prefixes, of which most have their name in the model.

    Among equals the one with the fewest prefixes taken off, and the first of those.
    """
    variants = [variant for weights in candidates for variant in _stripped(weights, _MOST_PREFIXES)]
    return max(variants, key=lambda weights: (matched(weights, names), -len(weights.prefixes)))


def matched(weights: Weights, names: Collection[str]) -> int:
    """Return how many of the weights have their name in the model."""
    return sum(name in names for name in weights.tensors)


def _stripped(weights: Weights, depth: int) -> Iterator[Weights]:
    """Yield weights as they are, and with every prefix taken off that some name has, again and again."""
    yield weights
    for prefix in PREFIXES if depth else ():
        if any(name.startswith(prefix) for name in weights.tensors):
            shorter = {name.removeprefix(prefix): tensor for name, tensor in weights.tensors.items()}
            if len(shorter) == len(weights.tensors):  # else two names would become one
                yield from _stripped(Weights(shorter, weights.wrapper, (*weights.prefixes, prefix)), depth - 1)
