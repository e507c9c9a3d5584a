"""Find the weights in the content of a file: under which key, and behind which prefixes."""

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
"""Keys under which training scripts save weights, next to an optimizer, an epoch, their arguments."""
PREFIXES = ("module.", "backbone.", "_orig_mod.", "base_model.model.")
"""What DataParallel, the wrappers of self-supervised training, torch.compile and peft put in front of names."""
_MOST_PREFIXES = 4


@dataclass(frozen=True)
class Weights:
    """Named tensors of a file, the key that they were under, and the prefixes removed from their names."""

    tensors: Mapping[str, Tensor]
    wrapper: str = ""
    prefixes: tuple[str, ...] = ()


def weights_in(file: File, names: Collection[str]) -> Weights:
    """Return the weights in a checkpoint, with the key and the prefixes chosen so that most of `names` match.

    Empty where there are no weights. Raises SubjectError when the file cannot be read safely.
    """
    candidates = found(read(file).value)
    return best(candidates, names) if candidates else Weights({})


def found(value: Any) -> list[Weights]:
    """Return the weights under each known key of a file's content, and those at its top level."""
    if not isinstance(value, Mapping):
        return []
    places = {**{key: value.get(key) for key in WRAPPERS}, "": value}
    return [Weights(tensors, wrapper) for wrapper, held in places.items() if (tensors := tensors_of(held))]


def tensors_of(held: Any) -> dict[str, Tensor]:
    """Return the entries of a mapping that are named tensors; empty for anything but a mapping."""
    import torch

    entries = held.items() if isinstance(held, Mapping) else ()
    return {name: value for name, value in entries if isinstance(name, str) and isinstance(value, torch.Tensor)}


def best(candidates: list[Weights], names: Collection[str]) -> Weights:
    """Return the weights, with or without prefixes, of which most have a name in the model.

    Of equals, the first with the fewest prefixes removed.
    """
    variants = [variant for weights in candidates for variant in _stripped(weights, _MOST_PREFIXES)]
    return max(variants, key=lambda weights: (matched(weights, names), -len(weights.prefixes)))


def matched(weights: Weights, names: Collection[str]) -> int:
    """Return how many of the weights have a name in the model."""
    return sum(name in names for name in weights.tensors)


def _stripped(weights: Weights, depth: int) -> Iterator[Weights]:
    """Yield weights unchanged, then with every sequence of up to `depth` prefixes removed that some name has."""
    yield weights
    for prefix in PREFIXES if depth else ():
        if any(name.startswith(prefix) for name in weights.tensors):
            shorter = {name.removeprefix(prefix): tensor for name, tensor in weights.tensors.items()}
            if len(shorter) == len(weights.tensors):  # else two names would become one
                yield from _stripped(Weights(shorter, weights.wrapper, (*weights.prefixes, prefix)), depth - 1)
