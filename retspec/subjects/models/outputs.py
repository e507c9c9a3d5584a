"""What a model's output is: the logits in it, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, SubjectError

if TYPE_CHECKING:
    from torch import Tensor


def logits_of(output: Any) -> Tensor:
    """Return the logits, (batch, classes), of what a model returned: a tensor, or a record that has them.

    Raises SubjectError when there are none.
    """
    import torch

    found = output
    if isinstance(output, Mapping):
        found = output.get("logits", next(iter(output.values()), None))
    elif not isinstance(output, torch.Tensor):
        found = getattr(output, "logits", output[0] if isinstance(output, (tuple, list)) and output else None)
    if not isinstance(found, torch.Tensor):
        raise SubjectError(f"the model returns {type(output).__name__}; logits are a tensor, or stand under `logits`")
    return found


def largest_difference(first: Tensor, second: Tensor) -> float:
    """Return the largest absolute difference of two outputs.

    Raises Inconclusive when one of them is not finite: then there is no distance.
    """
    difference = (first - second).abs().max()
    if not difference.isfinite():
        raise Inconclusive("an output is not finite; look for NaN in weights and inputs (`nonfinite_steps`)")
    return float(difference)
