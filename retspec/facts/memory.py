"""Facts about the memory and the operations of training steps. All sizes are in bytes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Memory(Struct, frozen=True):
    """Memory of steady training steps, after a warm-up."""

    source: str
    """What was counted: live tensor bytes, or what the device's allocator reports."""
    peak: int
    """Most bytes in use at once within a step."""
    after_step: tuple[int, ...]
    """Bytes in use at the end of each step, one entry per step."""
    resident: int
    """Largest resident set of the process so far, in bytes."""


class Estimate(Struct, frozen=True):
    """Peak memory of one training step, estimated without weights."""

    batch_size: int
    """Images per optimizer step."""
    amp: str
    """Autocast dtype as in `train.amp`: none, bfloat16, float16."""
    peak: int
    """Most bytes in use at once."""
    parts: Mapping[str, int]
    """Bytes of each part of the peak: parameters, gradients, optimizer state, activations and so on."""


class MemoryEstimate(Struct, frozen=True):
    """The step that the spec describes, and the same step with every parameter of the model trained."""

    target: str
    """The device whose allocator and kernels are assumed: cpu or cuda."""
    step: Estimate
    full: Estimate
    """Full fine-tuning: without adapters, everything trained."""
    checkpointed: Estimate | None
    """The step with gradient checkpointing; None when it is already on, or the model does not support it."""
    over_step: tuple[int, ...] = ()
    """Bytes in use over the step of the spec: the most in each of at most 64 equal parts of its allocations and
    releases, in their order; empty in results of older versions."""


class Fitting(Struct, frozen=True):
    """The batches that fit at one autocast dtype. Batch sizes are in images, multiples of the recipe's accumulation."""

    amp: str
    """Autocast dtype, as in `Estimate`."""
    largest: int
    """The largest batch size that fits; 0 if none does."""
    recommended: int
    """The largest power of two (times the accumulation) that leaves a tenth of the memory free."""
    step: Estimate
    """At the spec's own batch size."""
    full: Estimate
    """The same under full fine-tuning."""


class MemoryFit(Struct, frozen=True):
    """The batch sizes that fit in a given memory."""

    target: str
    """The device whose allocator and kernels are assumed: cpu or cuda."""
    memory: int
    """Bytes available."""
    dtype: str
    """Dtype of the model's weights, in which a step without autocast computes."""
    estimates: tuple[Estimate, ...]
    """One per autocast dtype and batch size that was asked for."""
    fittings: tuple[Fitting, ...]
    """One per autocast dtype."""


class StepFlops(Struct, frozen=True):
    """Floating-point operations of one training step; a multiplication and an addition count as two."""

    batch_size: int
    """Images per step."""
    forward: int
    """Operations of the forward pass over the whole batch."""
    backward: int
    """Operations of the backward pass over the whole batch, with recomputation under gradient checkpointing."""
    operators: Mapping[str, int]
    """Operations per kind of operator, most expensive first."""
