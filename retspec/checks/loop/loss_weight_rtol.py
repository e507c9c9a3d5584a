"""`loss_weight_rtol`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, Relative, check


@check(
    direction="at most",
    default_limit=1e-3,
    advice="Divide the loss by the number of micro-batches exactly once. A weight of k means that the division is "
    "missing, 1/k that it is there twice: in the loop and in the library. A weight of the batch size is that of a sum "
    "where a mean is meant.",
)
def loss_weight_rtol(loop: Loop) -> Observed[Relative]:
    """Does each step apply the mean loss with weight one?

    Why it matters:
        A step over k micro-batches is that of the whole batch if each loss is divided by k
        (https://huggingface.co/blog/gradient_accumulation). Without the division the gradient is k times too large,
        with a second one k times too small; Adam hides it, clipping and weight decay do not
        (https://github.com/huggingface/transformers/issues/37766).

    Example:
        loss_weight_rtol: 1e-3

    What the number means:
        The largest distance from 1 of the weight of a step of the largest optimizer. The weight is the sum, over the
        backward passes of the step, of the factor between the mean of the criterion and the loss, without the scale of
        a loss scaler. It is read from the autograd graph: multiplications and divisions by one number
        (https://docs.pytorch.org/docs/stable/notes/autograd.html#saved-tensors). No verdict where it cannot be read,
        and where several optimizers share a step: then two losses of weight 1 may be meant.
    """
    steps = loop.fed_steps
    weights = [step.weight for step in steps]
    known = [weight for weight in weights if weight is not None]
    if len(known) < len(weights):
        unknown = f"{len(weights) - len(known)} of {len(weights)}"
        raise Inconclusive(f"the weight of the loss cannot be read from its graph in {unknown} steps")
    worst = max(known, key=lambda weight: abs(weight - 1))
    most = max(step.backwards for step in steps)
    if len(loop.optimizers) > 1 and most > 1 and worst != 1:
        raise Inconclusive(
            f"of {len(loop.optimizers)} optimizers this one steps after {most} losses, of weight {worst:g}"
        )
    details = {"weight": worst, "backward passes": most, "criterion": loop.criterion.name if loop.criterion else ""}
    return Observed(abs(worst - 1), {**details, **loop.extent})
