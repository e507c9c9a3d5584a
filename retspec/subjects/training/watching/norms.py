"""Norms of many gradients with one transfer from the device."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def norms_of(parameters: Sequence[Tensor]) -> list[float | None]:
    """Return the Euclidean norm of each parameter's gradient, None without one; of several devices, one transfer each.

    torch's own clipping computes its norms by the same function:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html
    """
    import torch

    places: dict[torch.device, list[int]] = {}
    for index, parameter in enumerate(parameters):
        if parameter.grad is not None:
            places.setdefault(parameter.grad.device, []).append(index)
    norms: list[float | None] = [None] * len(parameters)
    with torch.no_grad():
        for indices in places.values():
            grads = [_values(parameters[index].grad) for index in indices]
            values = torch.stack([n.float() for n in torch._foreach_norm(grads)]).tolist()  # noqa: SLF001 - see above
            for index, value in zip(indices, values, strict=True):
                norms[index] = value
    return norms


def total(norms: Sequence[float | None]) -> float:
    """Return the norm of all gradients together; 0 without any."""
    return sqrt(sum(norm * norm for norm in norms if norm is not None))


def finite(norm: float | None) -> float | None:
    """Return a norm, None for one that is not finite."""
    return norm if norm is not None and isfinite(norm) else None


def _values(grad: Any) -> Tensor:
    values: Tensor = grad.coalesce().values() if grad.is_sparse else grad
    return values
