"""`max_step_gflops`."""

from __future__ import annotations

from retspec.checks.memory._reading import GIGA
from retspec.facts import StepFlops
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="GFLOP",
    advice="Use a smaller input, model or batch, or freeze the first layers; the details name the dearest operators.",
)
def max_step_gflops(step_flops: StepFlops) -> Observed[float]:
    """How much does a training step compute?

    Why it matters:
        Operations per step over what a card does in a second bound the time of a step from below, on any card. A count
        that grew tells of a larger input, a deeper model, or a base that is not frozen.

    Example:
        max_step_gflops: 1_000

    What the number means:
        Floating-point operations of forward and backward over the spec's batch, in units of 10^9, a multiplication and
        an addition counting as two. Matrix products, convolutions and attention are counted, as torch's flop counter
        counts them; what works element by element is not. Frozen layers save their weights' gradients; gradient
        checkpointing adds a forward pass.
    """
    total = step_flops.forward + step_flops.backward
    details = {
        "per image": total / GIGA / step_flops.batch_size,
        "forward": step_flops.forward / GIGA,
        "backward": step_flops.backward / GIGA,
        "operators": {name: flops / GIGA for name, flops in step_flops.operators.items()},
    }
    return Observed(total / GIGA, details)
