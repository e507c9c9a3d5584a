"""`min_fitting_batch_size`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.memory._reading import GIGA
from retspec.facts import MemoryFit
from retspec.plugin import Observed, check


@check(
    direction="at least",
    unit="images",
    advice="Use mixed precision (`train.amp`), gradient checkpointing (`train.grad_checkpointing`), train fewer "
    "parameters, or reach the batch size with `train.accumulation`.",
)
def min_fitting_batch_size(memory_fit: MemoryFit) -> Observed[Annotated[int, Meta(ge=0)]]:
    """How many images fit in one training step?

    Why it matters:
        A batch that is too large ends the run with "out of memory"; one that is too small wastes the card.

    Example:
        min_fitting_batch_size: {limit: 16, with: {memory_gb: 24, target: cuda}}

    What the number means:
        The largest batch size whose estimated peak, as in `max_memory_estimate_gb`, does not exceed the memory; 0 when
        not even one image fits, 65,536 when the search ends there. The details recommend a batch size: the largest
        power of two that leaves a tenth of the memory free for what the estimate does not include. Under
        `train.accumulation` both are multiples of it. With several `amps`, the smallest of their results.
    """
    fitting = min(memory_fit.fittings, key=lambda each: each.largest)
    step, full = fitting.step, fitting.full
    return Observed(
        fitting.largest,
        {
            "recommended batch size": fitting.recommended,
            "memory in GB": memory_fit.memory / GIGA,
            "estimated for": memory_fit.target,
            f"batch size {step.batch_size} in GB": step.peak / GIGA,
            "the same under full fine-tuning in GB": full.peak / GIGA,
            "saved against it in GB": (full.peak - step.peak) / GIGA,
        },
    )
