"""`initial_loss_rtol`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.facts.training import task_shown
from retspec.plugin import Inconclusive, Observed, Relative, check


@check(
    direction="at most",
    advice="Give the head a small initialization (a standard deviation of 0.02, say), check the number of classes, "
    "and that the logits are not scaled before the loss.",
)
def initial_loss_rtol(training: Training) -> Observed[Relative]:
    """Does a fresh head start at chance?

    Why it matters:
        An untrained classifier of C classes has a cross-entropy of ln C. Another value means a wrong number of classes,
        logits that are far too large, or a different loss than intended.

    Example:
        initial_loss_rtol: 0.2

    What the number means:
        |first loss - chance| / chance. Chance is the loss of equal probabilities: ln C for cross-entropy over C
        classes, which are dimension 1 of the output, and ln 2 for binary cross-entropy. Regression has none. The test
        is "verify loss @ init" of Karpathy, A Recipe for Training Neural Networks
        (https://karpathy.github.io/2019/04/25/recipe/). Fresh timm models stay below 0.11.
    """
    losses = training.finite_losses(1)
    chance = training.chance_loss
    if not chance:
        raise Inconclusive("this loss has no known chance level; only cross_entropy and bce_with_logits have one")
    shown = task_shown(training.task)
    return Observed(abs(losses[0] - chance) / chance, {"first": losses[0], "at chance": chance, **shown})
