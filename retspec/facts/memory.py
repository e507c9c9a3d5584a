"""Facts about the memory of training steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Memory:
    """Memory of steady training steps, in bytes, after a warm-up."""

    source: str
    """What was counted: live tensor bytes, or what the device's allocator says."""
    peak: int
    """The most that was in use at once within a step."""
    after_step: tuple[int, ...]
    """In use at the end of each step."""
    resident: int
    """Largest resident set of the process so far."""


@dataclass(frozen=True)
class Estimate:
    """Peak memory of one training step, foreseen without weights, in bytes."""

    batch_size: int
    """Images per optimizer step."""
    amp: str
    """Autocast dtype as in `train.amp`: none, bfloat16, float16."""
    peak: int
    """The most that is in use at once."""
    parts: Mapping[str, int]
    """What the peak is made of: parameters, gradients, optimizer state, activations and so on."""


@dataclass(frozen=True)
class MemoryEstimate:
    """The step that the spec describes, and the same step if every parameter of the model were trained."""

    target: str
    """Whose allocator and kernels are reckoned with: cpu or cuda."""
    step: Estimate
    full: Estimate
    """Full fine-tuning: adapters taken away, everything trained."""
    checkpointed: Estimate | None
    """The step with gradient checkpointing; None where it is on already, or the model cannot."""


@dataclass(frozen=True)
class Fitting:
    """The largest batches that fit at one autocast dtype, in multiples of the recipe's accumulation; 0 if none does."""

    amp: str
    largest: int
    recommended: int
    """The largest power of two (times the accumulation) that leaves a tenth of the memory free."""
    step: Estimate
    """At the spec's own batch size."""
    full: Estimate
    """The same under full fine-tuning."""


@dataclass(frozen=True)
class MemoryFit:
    """Which batch sizes fit in a memory."""

    target: str
    """Whose allocator and kernels are reckoned with: cpu or cuda."""
    memory: int
    """Bytes that there are."""
    dtype: str
    """Of the model's weights, which a step without autocast computes in."""
    estimates: tuple[Estimate, ...]
    """One per autocast dtype and batch size that was asked for."""
    fittings: tuple[Fitting, ...]
    """One per autocast dtype."""


@dataclass(frozen=True)
class StepFlops:
    """Floating-point operations of one training step."""

    batch_size: int
    forward: int
    backward: int
    """Recomputation under gradient checkpointing included."""
    operators: Mapping[str, int]
    """Operations per kind of operator, the dearest first."""
