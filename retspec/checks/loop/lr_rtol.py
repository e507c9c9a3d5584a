"""`lr_rtol`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, Relative, SubjectError, check

Rates = Annotated[
    list[Annotated[float, Meta(ge=0)]],
    Meta(min_length=1, description="Learning rate at each step, from the first one on; not all of them zero."),
]
Group = Annotated[int, Meta(ge=0, description="Index of the parameter group of the largest optimizer.")]


@check(
    direction="at most",
    default_limit=1e-6,
    shorthand="rates",
    advice="Compare the two lists in the details: a constant factor means another base rate or batch size, a shift "
    "another number of warm-up steps, a stretch a scheduler that is stepped more or less often than once per step.",
)
def lr_rtol(loop: Loop, *, rates: Rates, group: Group = 0) -> Observed[Relative]:
    """Are the learning rates those that were planned, step by step?

    Why it matters:
        The rate of a step comes of a base rate, a scaling by the batch size, a warm-up and a schedule, in several
        places of a script (https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate). No error
        tells when one of them is missing or applied twice.

    Example:
        lr_rtol: {limit: 1e-3, with: {rates: [1e-5, 2e-5, 3e-5]}}

    What the number means:
        The largest relative deviation of the rates of one group from the expected ones, at as many steps as rates are
        given. Where zero is expected, the rate is held against the largest expected one. No verdict when fewer steps
        were watched.
    """
    optimizer = loop.optimizers[loop.main]
    if group >= len(optimizer.groups):
        raise SubjectError(f"{optimizer.kind} has {len(optimizer.groups)} groups, counted from 0, and no group {group}")
    seen = optimizer.groups[group].rates
    if not seen:
        raise Inconclusive(f"{optimizer.kind} sets its learning rate itself")
    if len(seen) < len(rates):
        ended = f": {loop.ending}" if loop.ending else "; raise `train.steps`"
        raise Inconclusive(f"{len(rates)} rates are expected, and {len(seen)} steps were watched{ended}")
    if not any(rates):
        raise SubjectError("the expected rates are all zero; see `idle_groups`")
    deviations = [abs(rate - wanted) / (wanted or max(rates)) for rate, wanted in zip(seen, rates, strict=False)]
    details = {"rates": list(seen[: len(rates)]), "expected": list(rates), "optimizer": optimizer.kind, "group": group}
    return Observed(max(deviations), {**details, **loop.extent})
