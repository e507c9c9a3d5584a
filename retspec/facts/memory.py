"""Facts about the memory of training steps."""

from __future__ import annotations

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
