"""`autocast_dtype`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    advice="Open `torch.autocast` around the forward pass, for the device and the data type of the run. On a CPU an "
    "autocast for CUDA switches itself off: run the check where the training will run.",
)
def autocast_dtype(loop: Loop) -> Observed[str]:
    """Which data type does the model compute in while it trains?

    Why it matters:
        Mixed precision that is not in force doubles time and memory; where it is and should not be, small updates and
        large sums are lost (https://docs.pytorch.org/docs/stable/amp.html).

    Example:
        autocast_dtype: bfloat16

    What the number means:
        The data type that autocast gives to the first module with weights that runs in a training forward pass, or
        that of its weights where no autocast is in force: read inside the model, since a library may open it there.
    """
    steps = loop.extent
    if not loop.autocast_dtype:
        raise Inconclusive("no module with weights of its own ran inside the model")
    return Observed(loop.autocast_dtype, {"device": loop.device, "loss scaler at work": loop.scaler, **steps})
