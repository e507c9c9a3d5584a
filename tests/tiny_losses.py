"""Losses of somebody's own, as people write them, and with a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


def squared(logits: Tensor, targets: Tensor) -> Tensor:
    """As people write it: outputs of (N, 1) and targets of (N,) broadcast to (N, N)."""
    return ((logits - targets) ** 2).mean()


def mean_squared(logits: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(logits, targets)


def squeezed(logits: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(logits.squeeze(1), targets)


def ranked(logits: Tensor, targets: Tensor) -> Tensor:
    """Pairs on purpose: outputs with outputs, and targets with targets."""
    apart, order = logits - logits.T, (targets[:, None] - targets).sign()
    return nn.functional.softplus(-apart * order).mean()


def wrong_sign(logits: Tensor, targets: Tensor) -> Tensor:
    """A loss that rewards being wrong."""
    return -nn.functional.cross_entropy(logits, targets)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The usual loss, as somebody's own function."""
    return nn.functional.cross_entropy(logits, targets)


def broken_loss(logits: Tensor, targets: Tensor) -> Tensor:
    raise ValueError(f"no loss for {logits.shape[0]} and {targets.shape[0]}")


def summed_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """A sum where accumulation expects a mean."""
    return nn.functional.cross_entropy(logits, targets, reduction="sum")
