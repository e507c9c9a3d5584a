"""`memory_growth_mb`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.learning._reading import MEGABYTE
from retspec.facts import Memory
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="MB",
    advice="Look for what keeps a graph alive from step to step: a loss that is summed without `.item()`, outputs "
    "that are kept in a list, a hook that stores activations.",
)
def memory_growth_mb(memory: Memory) -> Observed[Annotated[float, Meta(extra={"rare": 10**9})]]:
    """Does memory grow from step to step?

    Why it matters:
        A leak of one megabyte per step can end a run after the first epoch.

    Example:
        memory_growth_mb: 1

    What the number means:
        Memory in use after the last steady step minus that after the first, in MB of 10^6 bytes. On the CPU a healthy
        loop is constant to the byte. The PyTorch FAQ lists the usual causes
        (https://docs.pytorch.org/docs/stable/notes/faq.html).
    """
    growth = memory.after_step[-1] - memory.after_step[0]
    return Observed(growth / MEGABYTE, {"counted": memory.source, "steps": len(memory.after_step)})
