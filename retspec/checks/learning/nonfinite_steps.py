"""`nonfinite_steps`."""

from __future__ import annotations

from retspec.errors import Inconclusive
from retspec.facts import Training
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="steps",
    default_limit=0,
    advice="Look for NaN in weights and inputs first, then lower `train.lr`; in float16 scale the loss or use "
    "bfloat16. The details name the operation where it could be found.",
)
def nonfinite_steps(training: Training) -> Observed[Count]:
    """Does the loss stay finite?

    Why it matters:
        One NaN spreads to every weight in the next update; all later steps are wasted.

    Example:
        nonfinite_steps: 0

    What the number means:
        Steps without a finite loss. The training ends at the first of them, and the steps not taken count too; those
        that `train.stop_at_drop` skips do not.
    """
    if training.nonfinite_loss_at is None and not training.losses:
        raise Inconclusive("no loss was seen")
    if training.nonfinite_loss_at is None:
        return Observed(0, training.extent)
    details = {
        "at step": training.nonfinite_loss_at + 1,
        "operation": training.nonfinite_operation or "unknown",
    }
    return Observed(training.steps - training.nonfinite_loss_at, details)
