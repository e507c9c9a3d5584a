"""`overfit_loss`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.learning._reading import overfitting_details
from retspec.facts import Overfitting
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at most",
    advice="Raise `train.lr` or `with: {most_steps: ...}`; a loss that stays at ln C means that the model learns "
    "nothing.",
)
def overfit_loss(overfitting: Overfitting) -> Observed[Annotated[float, Meta(extra={"rare": 10**6})]]:
    """How far does the loss of ten samples fall?

    Why it matters:
        All answers can be right by a narrow margin; a loss near zero means that the model is sure of them.

    Example:
        overfit_loss: 0.01

    What the number means:
        Mean loss over the samples at the end of the training; 0.01 is a rule of thumb for classes, and a loss of
        regression has the square of the targets' unit, or the unit. The test is "overfit one batch"
        of Karpathy, A Recipe for Training Neural Networks (https://karpathy.github.io/2019/04/25/recipe/).
    """
    if overfitting.loss < 0:
        raise Inconclusive(f"the loss ends at {overfitting.loss:.3g}: a loss below zero has no floor to come near")
    return Observed(overfitting.loss, overfitting_details(overfitting))
