"""Restore a model after a measurement, and detect changes in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from retspec.subjects.models.peft_types import rewriting_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch
    from torch import Tensor, nn

WORD = 8
"""Bytes of a word of a fingerprint."""


class Snapshot:
    """A copy of what a measurement may change: trainable parameters, buffers, modes.

    Frozen weights are not copied, but for those that a forward pass rewrites.
    """

    def __init__(self, model: nn.Module) -> None:
        self.parameters = trained_tensors(model)
        self._rewritten = _rewritten_tensors(model)
        self.buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        self._requires_grad = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
        self._modes = [(module, module.training) for module in model.modules()]

    def restore(self, model: nn.Module) -> None:
        """Restore everything in place and drop the gradients; what was not there before stays as it is."""
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(self._requires_grad.get(name, parameter.requires_grad))
            parameter.grad = None
            kept = self.parameters.get(name, self._rewritten.get(name))
            if kept is not None:
                parameter.data.copy_(kept)
        for name, buffer in model.named_buffers():
            if name in self.buffers:
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


@contextmanager
def weights_rounded(model: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Round the matrices and kernels of a model to a coarser dtype, in their own dtype, and restore them at the end.

    Autocast casts these for matrix products and convolutions; it leaves vectors, such as a bias, to what adds them.
    """
    weights = [p for p in model.parameters() if p.dim() > 1 and p.is_floating_point()]
    before = [weight.data for weight in weights]
    try:
        for weight in weights:
            weight.data = weight.data.to(dtype).to(weight.dtype)
        yield
    finally:
        for weight, data in zip(weights, before, strict=True):
            weight.data = data


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of every parameter that trains, by its name."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def in_double(tensor: Tensor) -> Tensor:
    """Return a copy in float64 on the CPU, in the same shape; of complex numbers, their parts in one more dimension."""
    import torch

    real = torch.view_as_real(tensor.detach().resolve_conj()) if tensor.is_complex() else tensor.detach()
    return real.double().cpu()


def _rewritten_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of every frozen parameter that a forward pass rewrites, by its name."""
    inside = tuple(f"{name}." if name else "" for name in rewriting_layers(model))
    frozen = ((name, p) for name, p in model.named_parameters() if not p.requires_grad)
    return {name: p.detach().clone() for name, p in frozen if name.startswith(inside)} if inside else {}


def same_bits(tensor: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same bits; so NaN equals NaN."""
    return int(fingerprint(tensor)) == int(fingerprint(other))


def fingerprint(tensor: Tensor) -> Tensor:
    """Return a 64-bit fingerprint of a tensor of any shape, as an int64 scalar on its device.

    It is the sum of words[i] * (2 i + 1) modulo 2**64, over its words of eight bytes and the bytes that are left over.
    Odd factors guarantee that a change of one element changes it. The tensor is read in chunks that fit the cache of a
    processor, without a copy of the whole.
    """
    import torch

    on_cpu = tensor.device.type == "cpu"
    data = local_part(tensor.detach()).resolve_conj().resolve_neg().contiguous().view(-1).view(torch.uint8)
    chunk = WORD * (1 << 15 if on_cpu else 1 << 25)
    whole = data.numel() - data.numel() % WORD
    weights = torch.arange(1, 2 * min(chunk // WORD, max(whole // WORD, WORD)), 2, device=tensor.device)
    products = torch.empty_like(weights)
    total = (data[whole:].to(torch.int64) * weights[: data.numel() - whole]).sum()
    for start in range(0, whole, chunk):
        part = data[start : min(start + chunk, whole)]
        words = (part if _is_aligned(part) else part.clone()).view(torch.int64)
        size = words.numel()
        if on_cpu:
            product = torch.dot(words, weights[:size])
        else:  # which has no dot product of integers; new memory each time costs more than the sum
            product = torch.mul(words, weights[:size], out=products[:size]).sum()
        total += product + (2 * start // WORD + 2) * words.sum()
    return total


def _is_aligned(part: Tensor) -> bool:
    """Whether bytes may be viewed as words: torch needs an offset in the storage that is a multiple of them."""
    return int(part.storage_offset()) % WORD == 0 and part.data_ptr() % WORD == 0


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
