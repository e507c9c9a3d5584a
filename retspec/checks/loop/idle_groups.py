"""`idle_groups`."""

from __future__ import annotations

from retspec.checks.loop._reading import several
from retspec.facts import Loop
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="groups",
    default_limit=0,
    advice="Look at how the rate of the group comes about: a factor of layer-wise decay that rounds to nothing, a "
    "schedule that multiplies zero, a warm-up whose first epoch is all zeros. Freeze what is not to be trained.",
)
def idle_groups(loop: Loop) -> Observed[Count]:
    """Does every parameter group have a learning rate above zero?

    Why it matters:
        Each group of an optimizer has a rate of its own
        (https://docs.pytorch.org/docs/stable/optim.html#per-parameter-options). Where that is zero, gradients are
        computed and thrown away, and no error says so: the parameters look trainable.

    Example:
        idle_groups: 0

    What the number means:
        Parameter groups of optimizers that took a step whose rate is exactly zero at all of their watched steps. A
        warm-up that starts at zero does not count once it has left it; no verdict on a single step. Groups without
        parameters, and optimizers that set their rate themselves, are left out.
    """
    several(loop, loop.main_steps)
    groups = [
        (f"{optimizer.kind}, group {index}: {len(group.parameters)} parameters, {group.parameters[0]} the first", group)
        for optimizer in loop.optimizers
        for index, group in enumerate(optimizer.groups)
        if group.parameters and group.rates
    ]
    idle = [name for name, group in groups if not any(group.rates)]
    return Observed(len(idle), {"idle": idle, "groups": len(groups), **loop.extent})
