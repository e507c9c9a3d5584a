"""`overfit_accuracy`, `overfit_loss` and `overfit_steps`: can a handful of samples be learnt by heart?"""

from __future__ import annotations

from retspec.facts import Overfitting
from retspec.plugin import Inconclusive, Observed, check
from retspec.records import Fraction


def _details(overfitting: Overfitting) -> dict[str, object]:
    return {
        "samples": overfitting.samples,
        "loss": overfitting.loss,
        "accuracy": overfitting.accuracy,
        "learnt after": "never" if overfitting.learnt_at is None else f"{overfitting.learnt_at} steps",
        "most steps": overfitting.most_steps,
    }


@check(
    direction="at least",
    advice="Raise `train.lr` or `with: {most_steps: ...}`; if neither helps, look at `dead_gradients`, "
    "`head_trainable`, and at whether the labels belong to the images.",
)
def overfit_accuracy(overfitting: Overfitting) -> Observed[Fraction]:
    """Can the model learn ten samples by heart?

    Why it matters:
        Every model that works can. One that cannot has too little that trains, a wrong loss, or labels that do not fit.

    Example:
        overfit_accuracy: 1.0

    What the number means:
        Fraction of the samples that is right at the end of the training, which stops when all are right and the loss is
        under 0.01, or after `most_steps` steps.
    """
    return Observed(overfitting.accuracy, _details(overfitting))


@check(
    direction="at most",
    advice="Raise `train.lr` or `with: {most_steps: ...}`; a loss that stays at ln C means that nothing is learnt.",
)
def overfit_loss(overfitting: Overfitting) -> Observed[float]:
    """How far does the loss of ten samples fall?

    Why it matters:
        All answers can be right by a hair; a loss near zero says that the model is sure of them.

    Example:
        overfit_loss: 0.01

    What the number means:
        Mean loss over the samples at the end of the training; the customary bar is 0.01.
    """
    if overfitting.loss < 0:
        raise Inconclusive(f"the loss ends at {overfitting.loss:.3g}: a loss below zero has no floor to come near")
    return Observed(overfitting.loss, _details(overfitting))


@check(
    direction="at most",
    unit="steps",
    advice="Raise `train.lr`; compare with another seed, and with a setup that is known to work.",
)
def overfit_steps(overfitting: Overfitting) -> Observed[int]:
    """How many steps does learning ten samples by heart take?

    Why it matters:
        A setup that suddenly takes many more steps than it did has lost something: capacity, a learning rate, a layer.

    Example:
        overfit_steps: 60

    What the number means:
        Steps until every sample was right and the loss under 0.01; one more than `most_steps` if that never came.
    """
    learnt_at = overfitting.learnt_at
    return Observed(overfitting.most_steps + 1 if learnt_at is None else learnt_at, _details(overfitting))
