"""`accumulation`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    unit="backward passes",
    advice="Set the number of micro-batches in the loop, or in the spec. Two losses that are backpropagated one after "
    "the other count as two.",
)
def accumulation(loop: Loop) -> Observed[int]:
    """How many backward passes make one optimizer step?

    Why it matters:
        The effective batch is the batch times this number, and the learning rate is chosen for it. Two layers of a
        program may each accumulate, or each leave it to the other
        (https://docs.pytorch.org/docs/stable/notes/amp_examples.html#gradient-accumulation).

    Example:
        accumulation: 8

    What the number means:
        Backward passes that reached the parameters of the largest optimizer, between the zeroing of their gradients
        and its step. No verdict when the number differs between steps, as at the end of an epoch that leaves a smaller
        rest: watch fewer steps then, with `train.steps`.
    """
    counts = [step.backwards for step in loop.fed_steps]
    if len(set(counts)) > 1:
        raise Inconclusive(f"the backward passes differ between steps: {', '.join(map(str, counts))}")
    return Observed(counts[0], {"images per backward pass": loop.batch_size, **loop.extent})
