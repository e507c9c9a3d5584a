"""How much memory a training step will take, at any batch size."""

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
"""CUDA's caching allocator hands out multiples of so many bytes."""
CUDA_WORKSPACES = 2 * (32 << 20)
"""cuBLAS keeps a workspace per handle and stream, one in the forward and one in the backward thread: 32 MiB each on
Hopper, and on every card under CUBLAS_WORKSPACE_CONFIG=:4096:8; about 8 MiB on older ones, so this errs upwards."""
WORKSPACES = "cuBLAS workspaces"


class Foresight:
    """Estimates of one model under one training, for the allocator and the optimizer of one kind of device.

    Each is read off the course of a dry step. Where those of two small batches take the same way, they foretell those
    of larger ones; what is foretold counts up to the largest batch size at which its own course has confirmed it.
    """

    def __init__(self, module: nn.Module, shape: BatchShape, trainer: TrainerMaker, *, target: str) -> None:
        self._on_cuda = target == "cuda"
        self._recipe = trainer.recipe
        self._run = DryRun(module, shape, trainer, foreach=self._on_cuda)
        self._courses: dict[int, AllocationTrace] = {}
        self._confirmed = 0

    def estimate(self, batch_size: int) -> Estimate:
        """Return the estimate at a batch size; raises what `DryRun.course` does."""
        is_foretold = batch_size <= self._confirmed
        return self._read(self._foretold(batch_size) if is_foretold else self._course(batch_size))

    def largest(self, memory: int, *, known_to: int = 0) -> int:
        """Return the largest batch size, in multiples of the accumulation, whose peak fits in a memory; 0 if none does.

        known_to: a batch size up to which estimates will be asked for; the course that confirms reaches so far.
        """
        unit, most = self._recipe.accumulation, MOST_IMAGES // self._recipe.accumulation
        guess = _last(most, lambda n: self._read(self._foretold(n * unit)).peak <= memory)
        if self._confirm(max((guess + 1) * unit, -(-known_to // unit) * unit)):
            return guess * unit
        return unit * _last(most, lambda n: self.estimate(n * unit).peak <= memory)

    def _confirm(self, batch_size: int) -> bool:
        """Hold what is foretold of a batch size against its course; whether they agree."""
        agrees = self._foretold(batch_size) == self._course(batch_size)
        self._confirmed = batch_size if agrees else 0
        return agrees

    def _foretold(self, batch_size: int) -> AllocationTrace:
        """Return what two small courses foretell, or the course itself where they cannot."""
        course = self._base[0].at(batch_size, self._base[1]) if self._base else None
        return course or self._course(batch_size)

    @cached_property
    def _base(self) -> tuple[AllocationTrace, AllocationTrace] | None:
        """The two smallest courses that take the same way; one image alone often takes another, or none."""
        unit = self._recipe.accumulation
        for images in (unit, 2 * unit):
            try:
                first, second = self._course(images), self._course(images + unit)
            except NoVerdict:
                if images > unit:
                    raise
            else:
                if first.at(images, second):
                    return first, second
        return None

    def _course(self, batch_size: int) -> AllocationTrace:
        if batch_size not in self._courses:
            self._courses[batch_size] = self._run.course(batch_size)
        return self._courses[batch_size]

    def _read(self, course: AllocationTrace) -> Estimate:
        peak, parts = course.peak(CUDA_GRAIN if self._on_cuda else 1)
        if self._on_cuda:
            peak, parts = peak + CUDA_WORKSPACES, {**parts, WORKSPACES: CUDA_WORKSPACES}
        return Estimate(course.batch_size, self._recipe.amp, peak, parts)


def _last(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest number from 1 to `most` for which something holds that holds up to a point; 0 for none."""
    step = 1
    while step <= most and holds(step):
        step *= 2
    low, high = step // 2, min(step, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
