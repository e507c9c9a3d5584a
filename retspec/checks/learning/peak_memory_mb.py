"""`peak_memory_mb`."""

from __future__ import annotations

from retspec.checks.learning._reading import MEGABYTE
from retspec.facts import Memory
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    unit="MB",
    advice="Use a smaller batch, mixed precision (`train.amp`), gradient checkpointing, or train fewer parameters.",
)
def peak_memory_mb(memory: Memory) -> Observed[Amount]:
    """How much memory does a training step need?

    Why it matters:
        It decides which card a run fits on, and at which batch size.

    Example:
        peak_memory_mb: 8000

    What the number means:
        The most memory in use at once in a steady step, in MB of 10^6 bytes: on CUDA as the caching allocator reports
        it (`torch.cuda.max_memory_allocated`, https://docs.pytorch.org/docs/stable/notes/cuda.html), on MPS as the
        driver does, on the CPU the bytes of live tensors, which are exact and repeatable.
    """
    details = {"counted": memory.source, "resident set MB": memory.resident / MEGABYTE}
    return Observed(memory.peak / MEGABYTE, details)
