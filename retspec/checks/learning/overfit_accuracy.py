"""`overfit_accuracy`."""

from __future__ import annotations

from retspec.checks.learning._reading import overfitting_details
from retspec.facts import Overfitting
from retspec.plugin import Inconclusive, Observed, check
from retspec.records import Fraction


@check(
    direction="at least",
    advice="Raise `train.lr` or `with: {most_steps: ...}`; if neither helps, look at `dead_gradients`, "
    "`head_trainable`, and at whether the labels belong to the images.",
)
def overfit_accuracy(overfitting: Overfitting) -> Observed[Fraction]:
    """Can the model memorize ten samples?

    Why it matters:
        Every model that works can: networks memorize even random labels (https://arxiv.org/abs/1611.03530). One that
        cannot has too few trainable parts, a wrong loss, or labels that do not belong to the images.

    Example:
        overfit_accuracy: 1.0

    What the number means:
        Share of right answers at the end of the training, which stops when all are right and the loss is under 0.01, or
        after `most_steps` steps. What is right depends on `train.task`: the class, or grade, of a sample; every label
        of a sample, for multilabel; for regression, an answer within a tenth of the standard deviation of the targets
        (an R² of 0.99). For segmentation it is the lowest Dice coefficient of a class, learnt at 0.99. No verdict where
        nothing says what is right.
    """
    details = overfitting_details(overfitting)
    if overfitting.accuracy is None:
        raise Inconclusive(overfitting.unknown)
    return Observed(overfitting.accuracy, details)
