"""What a model is asked to do, and the losses by name that go with each task."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Mapping

TaskName = Annotated[
    Literal["classification", "multilabel", "ordinal", "regression", "segmentation", "self_supervised", "custom"],
    Meta(
        description="What the outputs and targets mean, and so what a right answer is. Without it, it is seen in the "
        "first batch where that is certain.",
        examples=["multilabel", "segmentation"],
    ),
]

REGRESSION_LOSSES = ("mse", "l1", "smooth_l1", "huber")
"""Functions of torch.nn.functional without the suffix `_loss`, which hold each output against its own target.

https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""
NAMED_LOSSES = ("cross_entropy", "bce_with_logits", *REGRESSION_LOSSES)
"""All losses that the recipe knows by name."""

LOSSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("cross_entropy", "bce_with_logits"),
        "multilabel": ("bce_with_logits",),
        "ordinal": ("cross_entropy", "bce_with_logits", *REGRESSION_LOSSES),
        "regression": REGRESSION_LOSSES,
        "segmentation": ("cross_entropy", "bce_with_logits"),
        "self_supervised": REGRESSION_LOSSES,
        "custom": (),
    }
)
"""The losses by name that go with each task, the default first; none where only a function of the user's own does."""
