"""`foreign_params`."""

from __future__ import annotations

from retspec.facts import Owners
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Give the optimizer the parameters of the very module that the loop calls: not of a copy, and not of what "
    "was there before a layer was replaced or the model was wrapped.",
)
def foreign_params(owners: Owners) -> Observed[Count]:
    """Does every parameter of the optimizers belong to a module that trains?

    Why it matters:
        An optimizer of a copy, or of a layer that is no longer in the model, takes its steps without an error and
        trains nothing (https://github.com/meta-pytorch/opacus/pull/248).

    Example:
        foreign_params: 0

    What the number means:
        Parameters (tensors, not elements) of optimizers that took a step, that are in no module that ran in a training
        forward pass, and that never had a gradient. Under the recipe, with an optimizer of yours in it
        (`train.optimizer`): its parameters that are not the model's.
    """
    return Observed(len(owners.foreign), {"foreign": list(owners.foreign), "model": owners.model, **owners.extent})
