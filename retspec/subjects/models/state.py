"""Leaving a model as it was found."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn


class Snapshot:
    """A copy of what a measurement may touch: trainable parameters, buffers, modes. Frozen weights are not copied."""

    def __init__(self, model: nn.Module) -> None:
        self.parameters = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
        self.buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        self._requires_grad = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
        self._modes = [(module, module.training) for module in model.modules()]

    def restore(self, model: nn.Module) -> None:
        """Put everything back in place and drop the gradients."""
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
    """Give a snapshot of a model, and restore it at the end whatever happens."""
    snapshot = Snapshot(model)
    try:
        yield snapshot
    finally:
        snapshot.restore(model)


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Set the probability of every dropout, stochastic depth and patch dropout to zero, and restore it.

    Better than eval mode where a training step is measured: normalization layers stay as they are.
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
    """Cast parameters and buffers in half precision up to float32, and back: exact for all that did not change."""
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


def fingerprint(tensor: Tensor) -> Tensor:
    """Return a 64-bit fingerprint of a tensor's bits as a scalar tensor on its device; nothing is copied whole.

    The sum over bits[i] * (2 i + 1) modulo 2**64. Odd weights make a change of any one element certain to show.
    """
    import torch

    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    bits = tensor.detach().contiguous().view(-1).view(integers[tensor.element_size()])
    chunk = 1 << 20 if tensor.device.type == "cpu" else 1 << 26
    weights = torch.arange(1, 2 * min(chunk, max(bits.numel(), 1)), 2, device=tensor.device)
    total = torch.zeros((), dtype=torch.int64, device=tensor.device)
    for start in range(0, bits.numel(), chunk):
        part = bits[start : start + chunk].to(torch.int64)
        total += (part * weights[: part.numel()]).sum() + 2 * start * part.sum()
    return total


def fingerprints(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the fingerprint of each tensor by its name, with one transfer from the device."""
    import torch

    prints = [fingerprint(tensor) for tensor in tensors.values()]
    return dict(zip(tensors, torch.stack(prints).tolist() if prints else [], strict=True))
