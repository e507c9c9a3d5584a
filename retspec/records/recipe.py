"""How the short trainings of the checks are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from retspec.records.quantities import PositiveInt


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The section `train`: how the short trainings of the checks are done."""

    steps: Annotated[PositiveInt, Meta(description="Optimizer steps of a training.")] = 20
    stop_at_drop: (
        Annotated[
            float,
            Meta(
                gt=0,
                lt=1,
                description="End a training before its last step, as soon as its loss has fallen by this share of the "
                "first one and `min_steps` are taken. Without it every step is taken.",
                examples=[0.5],
            ),
        ]
        | None
    ) = None
    min_steps: Annotated[
        int,
        Meta(
            ge=3,  # what `dead_gradients` needs: before that, a healthy adapter's gradients may be exactly zero
            description="Steps that a training takes before `stop_at_drop` may end it; those that a loss scaler skips "
            "do not count.",
        ),
    ] = 5
    optimizer: Annotated[Literal["adamw", "sgd"], Meta(description="The optimizer.")] = "adamw"
    lr: Annotated[float, Meta(ge=0, description="Learning rate, constant.")] = 1e-3
    weight_decay: Annotated[float, Meta(ge=0, description="Weight decay of every trainable parameter.")] = 0.0
    momentum: Annotated[float, Meta(ge=0, lt=1, description="Momentum, for sgd.")] = 0.0
    batch_size: Annotated[PositiveInt, Meta(description="Images per optimizer step.")] = 4
    accumulation: Annotated[PositiveInt, Meta(description="Micro-batches per optimizer step.")] = 1
    amp: Annotated[Literal["none", "bfloat16", "float16"], Meta(description="Autocast dtype.")] = "none"
    grad_checkpointing: Annotated[
        bool, Meta(description="Compute activations anew in the backward pass instead of keeping them, as timm can.")
    ] = False
    loss: Annotated[
        str,
        Meta(
            pattern=r"^(cross_entropy|bce_with_logits|[\w.]+:\w+)$",
            description="cross_entropy, bce_with_logits, or your own as package.module:callable(logits, targets).",
            examples=["cross_entropy", "bce_with_logits"],
        ),
    ] = "cross_entropy"
    dropout: Annotated[
        Literal["zero", "keep"],
        Meta(description="zero: switch dropout and stochastic depth off while measuring; keep: leave them on."),
    ] = "zero"
