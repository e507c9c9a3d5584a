"""Estimate the memory of a training step at any batch size."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.facts import Estimate
from retspec.subjects.memory.dry_run import DryRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from retspec.subjects.memory.allocation_trace import AllocationTrace
    from retspec.subjects.memory.dry_run import BatchShape
    from retspec.subjects.training.making import TrainerMaker

MOST_IMAGES = 1 << 16
"""The search for the largest batch ends here."""
CUDA_GRAIN = 512
"""torch's caching allocator for CUDA rounds sizes up to multiples of so many bytes (`kMinBlockSize`)."""
CUDA_WORKSPACES = 2 * (32 << 20)
"""cuBLAS keeps a workspace per handle and stream, one in the forward and one in the backward thread: 32 MiB each on
Hopper, and on every card under CUBLAS_WORKSPACE_CONFIG=:4096:8; about 8 MiB on older ones, so this errs upwards."""
WORKSPACES = "cuBLAS workspaces"


class Foresight:
    """Estimates for one model and one training, with the allocator and the optimizer of one kind of device.

    Each comes from the trace of a dry step. If two small batches have the same events, they predict the traces of
    larger ones; a prediction is used up to the largest batch size at which a real trace has confirmed it.
    """

    def __init__(self, module: nn.Module, shape: BatchShape, trainer: TrainerMaker, *, target: str) -> None:
        self._on_cuda = target == "cuda"
        self._recipe = trainer.recipe
        self._run = DryRun(module, shape, trainer, foreach=self._on_cuda)
        self._traces: dict[int, AllocationTrace] = {}
        self._confirmed = 0

    def estimate(self, batch_size: int) -> Estimate:
        """Return the estimate at a batch size; raises what `DryRun.trace` does."""
        is_predicted = batch_size <= self._confirmed
        return self._read(self._predicted(batch_size) if is_predicted else self._trace(batch_size))

    def course(self, batch_size: int) -> tuple[int, ...]:
        """Return the bytes in use over a step, part by part; its largest is the peak of `estimate`."""
        if self._on_cuda:
            return tuple(level + CUDA_WORKSPACES for level in self._trace(batch_size).course(CUDA_GRAIN))
        return self._trace(batch_size).course()

    def largest(self, memory: int, *, known_to: int = 0) -> int:
        """Return the largest multiple of the accumulation whose peak fits in `memory` bytes; 0 if none does.

        known_to: a batch size up to which estimates will be needed; the confirming trace is at least as large.
        """
        unit, most = self._recipe.accumulation, MOST_IMAGES // self._recipe.accumulation
        guess = _last(most, lambda n: self._read(self._predicted(n * unit)).peak <= memory)
        if self._confirm(max((guess + 1) * unit, -(-known_to // unit) * unit)):
            return guess * unit
        return unit * _last(most, lambda n: self.estimate(n * unit).peak <= memory)

    def _confirm(self, batch_size: int) -> bool:
        """Return whether the prediction at a batch size equals its trace."""
        agrees = self._predicted(batch_size) == self._trace(batch_size)
        self._confirmed = batch_size if agrees else 0
        return agrees

    def _predicted(self, batch_size: int) -> AllocationTrace:
        """Return the prediction from two small traces, or the trace itself if there is none."""
        trace = self._base[0].at(batch_size, self._base[1]) if self._base else None
        return trace or self._trace(batch_size)

    @cached_property
    def _base(self) -> tuple[AllocationTrace, AllocationTrace] | None:
        """The two smallest traces with the same events; a single image often has other events, or fails."""
        unit = self._recipe.accumulation
        for images in (unit, 2 * unit):
            try:
                first, second = self._trace(images), self._trace(images + unit)
            except NoVerdict:
                if images > unit:
                    raise
            else:
                if first.at(images, second):
                    return first, second
        return None

    def _trace(self, batch_size: int) -> AllocationTrace:
        if batch_size not in self._traces:
            self._traces[batch_size] = self._run.trace(batch_size)
        return self._traces[batch_size]

    def _read(self, trace: AllocationTrace) -> Estimate:
        peak, parts = trace.peak(CUDA_GRAIN if self._on_cuda else 1)
        if self._on_cuda:
            peak, parts = peak + CUDA_WORKSPACES, {**parts, WORKSPACES: CUDA_WORKSPACES}
        return Estimate(trace.batch_size, self._recipe.amp, peak, parts)


def _last(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest number from 1 to `most` for which a monotone condition holds; 0 for none."""
    step = 1
    while step <= most and holds(step):
        step *= 2
    low, high = step // 2, min(step, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
