"""`max_step_gflops`."""

from __future__ import annotations

from retspec.checks.memory._reading import GIGA
from retspec.facts import StepFlops
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    unit="GFLOP",
    advice="Use a smaller input, model or batch, or freeze the first layers; the details name the most expensive "
    "operators.",
)
def max_step_gflops(step_flops: StepFlops) -> Observed[Amount]:
    """How much does a training step compute?

    Why it matters:
        The operations of a step, divided by what a card does in a second, bound the time of a step from below. A count
        that has grown means a larger input, a deeper model, or a base that is not frozen.

    Example:
        max_step_gflops: 1_000

    What the number means:
        Floating-point operations of forward and backward over the spec's batch, in units of 10^9. A multiplication and
        an addition count as two. Matrix products, convolutions and attention are counted, as by
        `torch.utils.flop_counter.FlopCounterMode`; elementwise operations are not. Frozen layers need no gradients of
        their weights; gradient checkpointing adds a forward pass (https://arxiv.org/abs/1604.06174).
    """
    total = step_flops.forward + step_flops.backward
    details = {
        "per image": total / GIGA / step_flops.batch_size,
        "forward": step_flops.forward / GIGA,
        "backward": step_flops.backward / GIGA,
        "operators": {name: flops / GIGA for name, flops in step_flops.operators.items()},
    }
    return Observed(total / GIGA, details)
