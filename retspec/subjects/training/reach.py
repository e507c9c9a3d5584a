"""Whether a learning rate can move a parameter in its precision."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from torch.optim import Optimizer


def rate_of(group: dict[str, Any]) -> float | None:
    """Return the learning rate of a group of an optimizer; None where the optimizer sets it itself."""
    rate = group.get("lr")
    return None if rate is None else float(rate)


def goal_of(group: dict[str, Any]) -> float:
    """Return the rate that a schedule started from, which a warm-up comes to; 0 without one.

    torch's schedulers and timm's note it in the group, timm's without the factor of a layer-wise decay:
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LRScheduler.html
    """
    return float(group.get("initial_lr") or 0) * float(group.get("lr_scale", 1))


def is_out_of_reach(
    before: Tensor, optimizer: Optimizer, rates: Sequence[float], goal: float, norms: Sequence[float | None]
) -> bool:
    """Return whether a parameter could not move so far, because its rate is still rising and too low.

    before: its values before the first step; rates: its rate at each step; goal: what `goal_of` returns; norms: of its
    gradient at each step.

    Adam and its kin move a value by about the rate (https://arxiv.org/abs/1412.6980, section 2.1), SGD by the rate
    times the gradient. Floating-point addition drops what is below the spacing of the numbers around a value, which is
    at most its magnitude times the machine epsilon. A rate that stays as low will never move the parameter, and is a
    fault, so only one on its way up counts. Without a gradient no rate would move it.
    """
    import torch

    known = [norm for norm in norms if norm]
    highest = max((rate for rate in rates if isfinite(rate)), default=None)
    if not known or highest is None or not (highest > rates[0] or highest < goal):
        return False
    by_gradient = "SGD" in type(optimizer).__name__
    reach = highest * max(known) if by_gradient else highest
    return reach <= torch.finfo(before.dtype).eps * float(before.abs().max())
