"""How several loop checks read the watched steps."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from retspec.plugin import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retspec.facts import Loop, WatchedStep


def several(loop: Loop, steps: Sequence[WatchedStep]) -> Sequence[WatchedStep]:
    """Return the steps; raises Inconclusive for a single one, which has none before it to compare with."""
    if len(steps) < 2:  # noqa: PLR2004 - a step and the one before it
        ended = f": {loop.ending}" if loop.ending else "; raise `train.steps`"
        raise Inconclusive(f"{len(steps)} step is too few to compare one with the step before{ended}")
    return steps


def require_norms(steps: Sequence[WatchedStep], norms: Iterable[float | None]) -> list[float]:
    """Return the norms of the gradients of these steps; raises Inconclusive where one is not known or not finite."""
    known = [norm for norm in norms if norm is not None and isfinite(norm)]
    if len(known) < len(steps):
        raise Inconclusive(
            f"the norm of the gradients is not finite or not known in {len(steps) - len(known)} of {len(steps)} steps; "
            "see `nonfinite_gradients`"
        )
    return known


def kind_of(loop: Loop, step: WatchedStep) -> str:
    """Return the class of the optimizer that took a step."""
    return loop.optimizers[step.optimizer].kind
