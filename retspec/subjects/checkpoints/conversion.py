"""The conversion of foreign weights to those of a model, as its library does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.subjects.checkpoints.matching import tensors_of
from retspec.subjects.models.libraries import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


def converted(tensors: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor]:
    """Return weights as a library makes them fit: position embeddings resampled, names of other projects translated.

    They are returned as they are when no library knows the model, or it can make nothing of them.
    """
    try:
        found = ask(lambda library: library.convert_state_dict(dict(tensors), model))
        return tensors if found is None else tensors_of(found)
    except Exception:  # noqa: BLE001 - for other weights than it knows it fails in its own ways; they are reported as unfit
        return tensors
