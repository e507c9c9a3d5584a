"""`scheduler_steps`."""

from __future__ import annotations

from retspec.checks.loop._reading import several
from retspec.errors import NoVerdict
from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    unit="per optimizer step",
    advice="Call `scheduler.step()` once after each optimizer step: not per micro-batch, not per process. 0 means "
    "never, or once per epoch, which is right for a schedule that counts epochs: then write `scheduler_steps: 0`.",
)
def scheduler_steps(loop: Loop) -> Observed[float]:
    """How often does the learning rate scheduler step per optimizer step?

    Why it matters:
        A schedule that counts steps and is stepped per micro-batch, or once for each process
        (https://github.com/huggingface/transformers/pull/24088), ends its warm-up and its decay several times too
        early; one that is never stepped leaves the rate at its start.

    Example:
        scheduler_steps: 1

    What the number means:
        Steps of the scheduler between the first and the last watched step of the largest optimizer, divided by the
        optimizer steps between them, as far as they had a gradient. 0 is that of a scheduler that is never stepped, and
        of one that is stepped per epoch: within one epoch they look alike. Of several schedulers, the one with the most
        steps counts. No verdict without a scheduler of `torch.optim.lr_scheduler`, or with one that changes the rates
        and counts no steps, as CosineAnnealingWarmRestarts with fractions of an epoch; see `lr_rtol`.
    """
    steps = len(several(loop, loop.fed_steps)) - 1
    own = [scheduler for scheduler in loop.schedulers if scheduler.optimizer == loop.main]
    if not own:
        kind = loop.optimizers[loop.main].kind
        raise NoVerdict(f"{kind} has no scheduler of torch.optim.lr_scheduler; `lr_rtol` judges the rates themselves")
    scheduler = max(own, key=lambda each: each.steps)
    rates = [group.rates for group in loop.optimizers[loop.main].groups]
    if scheduler.steps == 0 and any(len(set(each)) > 1 for each in rates):
        raise Inconclusive(f"the rates change, and {scheduler.kind} does not count its steps; see `lr_rtol`")
    details: dict[str, object] = {"scheduler": scheduler.kind, "its steps": scheduler.steps, "optimizer steps": steps}
    if scheduler.steps == 0:
        details["note"] = "never stepped, or stepped once per epoch: no epoch ended while it was watched"
    return Observed(scheduler.steps / steps, {**details, **loop.extent})
