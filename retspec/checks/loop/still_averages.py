"""`still_averages`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="averages",
    default_limit=0,
    advice="Call `update_parameters(model)` of torch's AveragedModel, or `update(model)` of timm's ModelEma, V2 or V3, "
    "after each optimizer step, with the model that trains. Where it begins later, watch more steps.",
)
def still_averages(loop: Loop) -> Observed[Count]:
    """Do the averages of the weights follow the training?

    Why it matters:
        What is validated and released is often the average (https://arxiv.org/abs/1803.05407). One that is never
        updated, or from another model, keeps the weights that it began with, and the loss that is printed says nothing
        of it.

    Example:
        still_averages: 0

    What the number means:
        Averages that lived before the first step, and whose weights were the same after the last one. Known are torch's
        AveragedModel (https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema) and timm's
        ModelEma, ModelEmaV2 and ModelEmaV3, and classes that are called so. No verdict where there is none of these. An
        average that is updated once an epoch, or begins late, needs so many watched steps.
    """
    steps = loop.extent
    if not loop.averages:
        raise Inconclusive("the training keeps no average of its weights that is known, of torch or timm")
    return Observed(len(loop.still_averages), {"averages": list(loop.averages), **steps})
