"""One batch of several: tensors put behind one another, sample by sample."""

from __future__ import annotations

from typing import Any

from retspec.errors import Inconclusive


def joined(parts: list[Any]) -> Any:
    """Return calls, or tensors, of several batches as one.

    Tensors with a row for each sample are concatenated; everything else must be the same in all of them. Raises
    Inconclusive where it is not, as with texts of several lengths.
    """
    import torch

    first = parts[0]
    if isinstance(first, torch.Tensor) and first.dim():
        if len({tuple(each.shape[1:]) for each in parts}) > 1:
            shapes = sorted({tuple(each.shape) for each in parts})
            raise Inconclusive(f"the batches cannot be put together: their shapes are {shapes}")
        return torch.cat(parts)
    if isinstance(first, dict):
        return {name: joined([each[name] for each in parts]) for name in first}
    if isinstance(first, (list, tuple)):
        return [joined(list(entries)) for entries in zip(*parts, strict=True)]
    if any(not _same(first, each) for each in parts):
        raise Inconclusive(f"the model was called with {first!r} for one batch, and with something else for another")
    if isinstance(first, str) and first.startswith("<"):
        raise Inconclusive(f"the model was called with {first}, which cannot be put together")
    return first


def _same(first: Any, other: Any) -> bool:
    import torch

    if isinstance(first, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(first, other)
    return bool(first == other)
