"""The logits in the output of a model, and the difference of two outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, SubjectError

if TYPE_CHECKING:
    from torch import Tensor


def logits_of(output: Any) -> Tensor:
    """Return the logits, (batch, classes), in the output of a model.

    They are the output itself, its key or attribute `logits`, or else its first entry. Raises SubjectError when that is
    not a tensor.
    """
    import torch

    found = output
    if isinstance(output, Mapping):
        found = output.get("logits", next(iter(output.values()), None))
    elif not isinstance(output, torch.Tensor):
        found = getattr(output, "logits", output[0] if isinstance(output, (tuple, list)) and output else None)
    if not isinstance(found, torch.Tensor):
        raise SubjectError(
            f"the model returns {type(output).__name__}; it must return the logits as a tensor, or under `logits`"
        )
    return found


def largest_difference(first: Tensor, second: Tensor) -> float:
    """Return the largest absolute difference of two tensors of one shape.

    Raises Inconclusive when an element of either is not finite.
    """
    difference = (first - second).abs().max()
    if not difference.isfinite():
        raise Inconclusive("an output is not finite; look for NaN in weights and inputs (`nonfinite_steps`)")
    return float(difference)
