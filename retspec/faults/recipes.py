"""Faults of the recipe: how the optimizer steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault

if TYPE_CHECKING:
    from retspec.records import Spec


@fault(
    families="learning numerics",
    noticed_by="loss_drop unchanged_params adapter_effect",
    frequency=Frequency.OFTEN,
    of_training=True,
)
def rate_zero(spec: Spec) -> Spec:
    """The learning rate is zero."""
    return _with_rate(spec, 0.0)


@fault(
    families="learning numerics",
    noticed_by="nonfinite_steps max_loss_rise loss_drop",
    frequency=Frequency.OFTEN,
    of_training=True,
)
def rate_too_high(spec: Spec) -> Spec:
    """The learning rate is a hundred times as high."""
    return _with_rate(spec, 100.0)


def _with_rate(spec: Spec, factor: float) -> Spec:
    rate = spec.train.lr
    if spec.training is not None or rate is None:
        raise DoesNotApply("the learning rate is not that of `train.lr`")
    if not rate or spec.train.groups or isinstance(spec.train.optimizer, dict):
        raise DoesNotApply("the rates are not one number other than zero, `train.lr`")
    return replace(spec, train=replace(spec.train, lr=rate * factor))
