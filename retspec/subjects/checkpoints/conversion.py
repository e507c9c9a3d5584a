"""Convert weights of other projects to those of a model, with the function of its library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.subjects.checkpoints.sets import tensors_of
from retspec.subjects.models.libraries import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


def converted(tensors: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor]:
    """Return weights as the library converts them: position embeddings resampled, names of other projects translated.

    Returns them unchanged when no library knows the model, or the conversion fails.
    """
    try:
        found = ask(lambda library: library.convert_state_dict(dict(tensors), model))
        return tensors if found is None else tensors_of(found)
    except Exception:  # noqa: BLE001 - fails in many ways on weights that it does not know; they are reported as unfit
        return tensors
