"""`script_determinism`."""

from __future__ import annotations

from retspec.errors import Inconclusive
from retspec.facts.reruns import TwoRuns
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="steps",
    advice="Seed `random`, `numpy` and `torch` before the model and the loaders are made, give each DataLoader a "
    "`generator` and a `worker_init_fn`, and look at the details for what differs first.",
)
def script_determinism(second_run: TwoRuns) -> Observed[Count]:
    """Do two runs of the training do the same?

    Why it matters:
        A result that cannot be repeated cannot be compared: of two runs that differ, nobody knows whether the change
        or the seed made the difference. PyTorch names what has to be seeded, and what stays open
        (https://docs.pytorch.org/docs/stable/notes/randomness.html).

    Example:
        script_determinism: 0

    What the number means:
        The steps whose losses differ in any bit between two runs in fresh processes, on the same machine and with the
        same number of threads. Where all losses are equal and a parameter is not, one step counts. The details name the
        first batch that differs, and whether rates, optimizer state or the loss scale do.
    """
    runs = second_run
    if not (runs.first.losses and runs.second.losses):
        raise Inconclusive(f"{runs.first.command} took no step with a loss that was seen: {runs.first.ending}")
    steps, differences = runs.differing_steps, runs.differences
    first = {"first step that differs": steps[0]} if steps else {}
    least = 1 if differences or len(runs.first.losses) != len(runs.second.losses) else 0
    return Observed(max(len(steps), least), {"steps": len(runs.first.losses), **first, **differences})
