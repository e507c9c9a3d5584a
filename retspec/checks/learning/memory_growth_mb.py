"""`memory_growth_mb`."""

from __future__ import annotations

from retspec.checks.learning._reading import MEGABYTE
from retspec.facts import Memory
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="MB",
    advice="Look for what keeps a graph alive from step to step: a loss that is added up without `.item()`, outputs "
    "that are kept in a list, a hook that stores activations.",
)
def memory_growth_mb(memory: Memory) -> Observed[float]:
    """Does memory grow from step to step?

    Why it matters:
        A leak of one megabyte a step ends a run after the first epoch.

    Example:
        memory_growth_mb: 1

    What the number means:
        What is in use after the last steady step beyond what was in use after the first, in megabytes of 10^6 bytes. On
        the CPU a healthy loop is constant to the byte.
    """
    growth = memory.after_step[-1] - memory.after_step[0]
    return Observed(growth / MEGABYTE, {"counted": memory.source, "steps": len(memory.after_step)})
