"""`eval_drift`."""

from __future__ import annotations

from retspec.facts import Evaluation
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="buffers",
    default_limit=0,
    advice="Let the modules in the details write to their buffers only when `self.training` is true.",
)
def eval_drift(evaluation: Evaluation) -> Observed[Count]:
    """Does evaluation leave the model unchanged?

    Why it matters:
        Statistics that are updated in eval mode leak the validation images into the model, and make the result depend
        on the order of evaluation.

    Example:
        eval_drift: 0

    What the number means:
        Buffers that two forward passes in eval mode changed, bit by bit.
    """
    return Observed(len(evaluation.drifted), {"drifted": list(evaluation.drifted)})
