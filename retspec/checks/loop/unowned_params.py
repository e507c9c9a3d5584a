"""`unowned_params`."""

from __future__ import annotations

from retspec.facts import Owners
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Build the optimizer after the last change of the model: a new head, an adapter, a replaced layer. Freeze "
    "what is not to be trained.",
)
def unowned_params(owners: Owners) -> Observed[Count]:
    """Does an optimizer own every parameter that the training computes a gradient for?

    Why it matters:
        An optimizer holds the parameters that it was given. A layer that replaces another one afterwards gets gradients
        and is never updated (https://github.com/meta-pytorch/opacus/issues/432): a head stays random, while the loss
        falls all the same.

    Example:
        unowned_params: 0

    What the number means:
        Parameters (tensors, not elements) that require a gradient, in modules that ran in a training forward pass, and
        that no living optimizer has. Those of copies that never ran, such as an average of the weights, do not count.
        Under the recipe, with an optimizer of yours in it (`train.optimizer`): those of the whole model.
    """
    details = {"unowned": list(owners.unowned), "optimizers": list(owners.optimizers), **owners.extent}
    return Observed(len(owners.unowned), details)
