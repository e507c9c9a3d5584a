"""`overfit_steps`."""

from __future__ import annotations

from retspec.checks.learning._reading import overfitting_details
from retspec.facts import Overfitting
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="steps",
    advice="Raise `train.lr`; compare with another seed, and with a setup that is known to work.",
)
def overfit_steps(overfitting: Overfitting) -> Observed[Count]:
    """How many steps does it take to memorize ten samples?

    Why it matters:
        A setup that suddenly needs many more steps has lost something: capacity, learning rate, a layer.

    Example:
        overfit_steps: 60

    What the number means:
        Steps until every sample was right and the loss under 0.01; `most_steps` + 1 if that never happened. For
        regression, segmentation and grades the answers alone count. No verdict on a loss of your own, or on soft
        targets, if the loss stays above while every sample is right: it may have another floor.
    """
    learnt_at, details = overfitting.learnt_at, overfitting_details(overfitting)
    if learnt_at is None and overfitting.accuracy == 1 and not overfitting.floor_known:
        raise Inconclusive(
            f"every sample is right, and the loss ends at {overfitting.loss:.3g}: whether a loss of your own can fall "
            "below 0.01 is not known"
        )
    if learnt_at is None and overfitting.accuracy is None:
        raise Inconclusive(f"{overfitting.unknown}; the loss ends at {overfitting.loss:.3g}")
    return Observed(overfitting.most_steps + 1 if learnt_at is None else learnt_at, details)
