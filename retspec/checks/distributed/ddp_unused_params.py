"""`ddp_unused_params`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Freeze the parameters in the details, or take them out of the model. `find_unused_parameters=True` makes "
    "DistributedDataParallel look for them at every step.",
)
def ddp_unused_params(training: Training) -> Observed[Count]:
    """Does the loss depend on every trainable parameter, as DistributedDataParallel expects?

    Why it matters:
        DistributedDataParallel waits for the gradient of each parameter that requires one. Without
        `find_unused_parameters`, the second step ends in an error or hangs
        (https://github.com/pytorch/pytorch/issues/43259), on the cluster first: one process trains without a word.

    Example:
        ddp_unused_params: 0

    What the number means:
        Trainable parameters (tensors, not elements) that have no gradient at all in any step: unlike those of
        `dead_gradients`, not even one of zeros. It needs no second process, and no process group.
    """
    gradients = training.gradients_over(1)
    unused = [each.name for each in gradients if not each.nonfinite_steps and all(norm is None for norm in each.norms)]
    return Observed(len(unused), {"unused": unused, "trainable": len(gradients)})
