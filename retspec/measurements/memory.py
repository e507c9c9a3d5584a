"""The measurement `memory`: the peak memory of training steps, and whether it grows."""

from __future__ import annotations

import gc
import resource
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Protocol

from msgspec import Meta

from retspec.facts import Memory
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.memory.live_bytes import LiveBytes
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker

WARM_UP = 2
"""Steps that are not counted: in the first one the optimizer creates its state."""


def _passes(recipe: Recipe, iterations: int) -> Passes:
    each = (WARM_UP + iterations) * recipe.accumulation
    return Passes(forward=each, backward=each)


@measurement(cost=Cost.TRAINING, passes=_passes)
def memory(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    progress: Callable[[int, int], None],
    *,
    iterations: Annotated[int, Meta(ge=2, description="Steady steps after the warm-up.")] = 100,
) -> Memory:
    """Take training steps and read the bytes in use during and after each, once the optimizer has its state.

    Raises Inconclusive for a loss that is not finite.
    """
    with preserved(model):
        model.train()
        meter = _meter(batch.inputs.device, [*model.parameters(), *model.buffers(), batch.inputs, batch.targets])
        running = trainer.on(model, batch)
        after = []
        with meter.watching():
            for step in range(WARM_UP + iterations):
                progress(step + 1, WARM_UP + iterations)
                if step == WARM_UP:
                    meter.start_over()
                running.finite_backward()
                running.update()
                gc.collect()
                after.append(meter.live)
        return Memory(meter.source, peak=meter.peak, after_step=tuple(after[WARM_UP:]), resident=_resident())


class _Meter(Protocol):
    """Reads the bytes in use now, and the most since `start_over`."""

    source: str

    @property
    def live(self) -> int: ...
    @property
    def peak(self) -> int: ...
    def start_over(self) -> None: ...
    def watching(self) -> AbstractContextManager[object]: ...


def _meter(device: torch.device, held: list[torch.Tensor]) -> _Meter:
    if device.type == "cuda":
        return _Cuda(device)
    return _Mps() if device.type == "mps" else _Cpu(held)


class _Cpu(LiveBytes):
    """Live tensor bytes: exact and repeatable, unlike the resident set."""

    source = "live tensor bytes"


class _Cuda:
    """Bytes that the caching allocator has given to tensors.

    See https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-memory-management
    """

    source = "bytes allocated on CUDA"

    def __init__(self, device: torch.device) -> None:
        self._device = device

    @property
    def live(self) -> int:
        import torch

        return torch.cuda.memory_allocated(self._device)

    @property
    def peak(self) -> int:
        import torch

        return torch.cuda.max_memory_allocated(self._device)

    def start_over(self) -> None:
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self._device)

    def watching(self) -> AbstractContextManager[object]:
        return nullcontext()


class _Mps:
    """Bytes that the Metal driver has allocated; it has no peak, so the largest reading after a step is used.

    See https://docs.pytorch.org/docs/stable/generated/torch.mps.driver_allocated_memory.html
    """

    source = "bytes allocated by the Metal driver"

    def __init__(self) -> None:
        self._peak = 0

    @property
    def live(self) -> int:
        import torch

        now = torch.mps.driver_allocated_memory()
        self._peak = max(self._peak, now)
        return now

    @property
    def peak(self) -> int:
        return self._peak

    def start_over(self) -> None:
        self._peak = 0

    def watching(self) -> AbstractContextManager[object]:
        return nullcontext()


def _resident() -> int:
    """Return the largest resident set so far, in bytes.

    Linux reports KiB (https://man7.org/linux/man-pages/man2/getrusage.2.html), macOS bytes.
    """
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
