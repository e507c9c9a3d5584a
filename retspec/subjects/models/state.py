"""Restore a model after a measurement, and detect changes in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn


class Snapshot:
    """A copy of what a measurement may change: trainable parameters, buffers, modes. Frozen weights are not copied."""

    def __init__(self, model: nn.Module) -> None:
        self.parameters = trained_tensors(model)
        self.buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        self._requires_grad = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
        self._modes = [(module, module.training) for module in model.modules()]

    def restore(self, model: nn.Module) -> None:
        """Restore everything in place and drop the gradients."""
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(self._requires_grad[name])
            parameter.grad = None
            if name in self.parameters:
                parameter.data.copy_(self.parameters[name])
        for name, buffer in model.named_buffers():
            buffer.data.copy_(self.buffers[name])
        for module, mode in self._modes:
            module.training = mode


@contextmanager
def preserved(model: nn.Module) -> Iterator[Snapshot]:
    """Yield a snapshot of a model, and restore the model at the end, also after an error."""
    snapshot = Snapshot(model)
    try:
        yield snapshot
    finally:
        snapshot.restore(model)


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Set the probability of every dropout, stochastic depth and patch dropout to zero, and restore it at the end.

    Better than eval mode to measure a training step: normalization layers keep their mode.
    """
    from torch import nn

    changed: list[tuple[nn.Module, str, float]] = []
    for module in model.modules():
        attention = isinstance(module, nn.MultiheadAttention)
        names = ("dropout",) if attention else ("p", "drop_prob", "prob") if "Drop" in type(module).__name__ else ()
        changed += [(module, name, getattr(module, name)) for name in names if hasattr(module, name)]
    try:
        for module, attribute, _ in changed:
            setattr(module, attribute, 0.0)
        yield
    finally:
        for module, attribute, value in changed:
            setattr(module, attribute, value)


@contextmanager
def single_precision(model: nn.Module) -> Iterator[None]:
    """Cast float16 and bfloat16 parameters and buffers to float32, and back at the end; exact where unchanged."""
    import torch

    half = [t for t in [*model.parameters(), *model.buffers()] if t.dtype in {torch.float16, torch.bfloat16}]
    dtypes = [tensor.dtype for tensor in half]
    try:
        for tensor in half:
            tensor.data = tensor.data.float()
        yield
    finally:
        for tensor, dtype in zip(half, dtypes, strict=True):
            tensor.data = tensor.data.to(dtype)


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of every parameter that trains, by its name."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def same_bits(tensor: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same bits; so NaN equals NaN."""
    return int(fingerprint(tensor)) == int(fingerprint(other))


def fingerprint(tensor: Tensor) -> Tensor:
    """Return a 64-bit fingerprint of a tensor of any shape, as an int64 scalar on its device.

    It is the sum of bits[i] * (2 i + 1) modulo 2**64. Odd factors guarantee that a change of one element changes it.
    The tensor is read in chunks, without a copy of the whole.
    """
    import torch

    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    bits = local_part(tensor.detach()).contiguous().view(-1).view(integers[tensor.element_size()])
    chunk = 1 << 20 if tensor.device.type == "cpu" else 1 << 26
    weights = torch.arange(1, 2 * min(chunk, max(bits.numel(), 1)), 2, device=tensor.device)
    total = torch.zeros((), dtype=torch.int64, device=tensor.device)
    for start in range(0, bits.numel(), chunk):
        part = bits[start : start + chunk].to(torch.int64)
        total += (part * weights[: part.numel()]).sum() + 2 * start * part.sum()
    return total


def local_part(tensor: Tensor) -> Tensor:
    """Return what this process holds of a tensor: its shard of a DTensor, else the tensor itself.

    See https://docs.pytorch.org/docs/stable/distributed.tensor.html.
    """
    part: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return part


def fingerprints(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the fingerprint of each tensor by name, with one transfer from the device; all must be on one device."""
    import torch

    prints = [fingerprint(tensor) for tensor in tensors.values()]
    return dict(zip(tensors, torch.stack(prints).tolist() if prints else [], strict=True))
