"""`repeated_batches`."""

from __future__ import annotations

from retspec.checks.loop._reading import several
from retspec.facts import Loop
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="batches",
    default_limit=0,
    advice="Iterate over the loader, `for batch in loader`: `next(iter(loader))` starts again each time. Look for a "
    "cache that keeps batches, and for a sampler that is made again at every step.",
)
def repeated_batches(loop: Loop) -> Observed[Count]:
    """Does each step get a new batch?

    Why it matters:
        A loop that gets the same batch again overfits it, and its loss falls most convincingly. `next(iter(loader))`
        makes a new iterator at each call, which starts at the beginning
        (https://docs.pytorch.org/docs/stable/data.html).

    Example:
        repeated_batches: 0

    What the number means:
        Batches that entered the model in a training forward pass and had entered before an earlier step, with no pass
        through a DataLoader having ended in between. Several passes of one batch within a step do not count. No
        verdict under `train.one_batch`, and where no DataLoader gave the batches and some repeat: an epoch that starts
        again then looks the same.
    """
    several(loop, loop.main_steps)
    if loop.one_batch:
        raise Inconclusive("`train.one_batch` gives the same batch again and again")
    if not loop.batches:
        raise Inconclusive("no batch was seen that entered the model")
    if loop.repeated and not loop.from_loader:
        what = "all steps had the same batch" if loop.distinct == 1 else f"{loop.repeated} batches came again"
        raise Inconclusive(f"{what}, and no DataLoader gave them: that may be meant")
    details = {"batches": loop.batches, "different ones": loop.distinct}
    return Observed(loop.repeated, {**details, **loop.extent})
