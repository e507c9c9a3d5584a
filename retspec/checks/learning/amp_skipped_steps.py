"""`amp_skipped_steps`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Training
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="steps",
    default_limit=0,
    advice="Use bfloat16, lower `train.lr`, or look at `nonfinite_gradients` for the parameters that overflow.",
)
def amp_skipped_steps(
    training: Training,
    *,
    warmup: Annotated[int, Meta(ge=0, description="Steps in which the scaler may still look for its scale.")] = 5,
) -> Observed[Count]:
    """Does the loss scaler settle?

    Why it matters:
        Under float16 the loss scaler skips each step whose gradients overflow, without a warning. A scaler that never
        settles skips most of the training.

    Example:
        amp_skipped_steps: 0

    What the number means:
        Steps that the GradScaler skipped after the warm-up, under `train: {amp: float16}`. Skipping some early steps is
        normal: the scale starts high and is lowered at each overflow (https://docs.pytorch.org/docs/stable/amp.html).
    """
    if training.skipped is None:
        raise Inconclusive("no loss scaler is at work; it is under `train: {amp: float16}`")
    training.finite_losses(warmup + 1)
    late = [step + 1 for step in training.skipped if step >= warmup]
    return Observed(len(late), {"skipped after warm-up": late, "skipped in all": len(training.skipped)})
