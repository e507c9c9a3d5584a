"""`unowned_params`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Build the optimizer after the last change of the model: a new head, an adapter, a replaced layer. Freeze "
    "what is not to be trained.",
)
def unowned_params(loop: Loop) -> Observed[int]:
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
    """
    optimizers = [optimizer.kind for optimizer in loop.optimizers]
    return Observed(len(loop.unowned), {"unowned": list(loop.unowned), "optimizers": optimizers, **loop.extent})
