"""Norms of many gradients with one transfer from the device."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

from retspec.subjects.models.state import local_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import torch
    from torch import Tensor


def norms_of(parameters: Sequence[Tensor]) -> list[float | None]:
    """Return the Euclidean norm of each parameter's gradient, None without one.

    Those of half precision are computed in float32, in which their squares do not overflow. Each device needs one
    transfer per data type. torch's own clipping computes its norms by the same function:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html
    """
    places: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for index, parameter in enumerate(parameters):
        if parameter.grad is not None:
            places.setdefault((parameter.grad.device, parameter.grad.dtype), []).append(index)
    norms: list[float | None] = [None] * len(parameters)
    for (_, dtype), indices in places.items():
        values = _norms([_values(parameters[index].grad) for index in indices], dtype)
        for index, value in zip(indices, values, strict=True):
            norms[index] = value
    return norms


def total(norms: Iterable[float | None]) -> float:
    """Return the norm of all gradients together; 0 without any."""
    return sqrt(sum(norm * norm for norm in norms if norm is not None))


def finite(norm: float | None) -> float | None:
    """Return a norm, None for one that is not finite."""
    return norm if norm is not None and isfinite(norm) else None


def _norms(gradients: list[Tensor], dtype: torch.dtype) -> list[float]:
    import torch

    wide = torch.float32 if dtype in {torch.float16, torch.bfloat16} else None
    with torch.no_grad():
        norms: list[float] = torch.stack(torch._foreach_norm(gradients, dtype=wide)).tolist()  # noqa: SLF001 - see above
    return norms


def _values(gradient: Any) -> Tensor:
    values: Tensor = gradient.coalesce().values() if gradient.is_sparse else local_part(gradient.detach())
    return values
