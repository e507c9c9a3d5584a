"""The measurements `accumulation` and `precision`: whether two ways to compute gradients agree."""

from __future__ import annotations

from contextlib import ExitStack
from math import hypot, sqrt
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from retspec.errors import Inconclusive, NoVerdict
from retspec.facts import GradientAgreement, TensorDeviation
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import zero_factors_filled
from retspec.subjects.models.state import preserved, without_dropout
from retspec.subjects.seeds import generator_states

if TYPE_CHECKING:
    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer

LEAST_SHARE = 1e-2
"""Least norm that a difference is relative to, as a share of the norm of all gradients: rounding is far below it."""


def _accumulation_passes(recipe: Recipe, parts: int) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=1 + parts, backward=1 + parts)


@measurement(cost=Cost.TRAINING, passes=_accumulation_passes)
def accumulation(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    *,
    parts: Annotated[int, Meta(ge=2, description="Micro-batches; the last one may be smaller.")] = 3,
) -> GradientAgreement:
    """Compare the gradients of the whole batch with those accumulated over micro-batches.

    Raises Inconclusive for a batch of one image, no gradients, and a loss or gradient that is not finite.
    """
    if len(batch.inputs) < 2:  # noqa: PLR2004 - nothing to divide
        raise Inconclusive("a batch of one image cannot be divided; raise `train.batch_size`")
    whole, accumulated = trainer.varied(accumulation=1), trainer.varied(accumulation=parts)
    return _agreement(model, batch, whole, accumulated)


def _precision_passes(recipe: Recipe, dtype: str) -> Passes:  # noqa: ARG001 - the same
    return Passes(forward=2, backward=2)


@measurement(cost=Cost.TRAINING, passes=_precision_passes)
def precision(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    *,
    dtype: Annotated[Literal["bfloat16", "float16"], Meta(description="Autocast dtype.")] = "bfloat16",
) -> GradientAgreement:
    """Compare loss and gradients under autocast with those in full precision.

    See https://docs.pytorch.org/docs/stable/amp.html

    Raises Inconclusive for no gradients, and for a loss or gradient that is not finite.
    """
    full = trainer.varied(accumulation=1, amp="none")
    return _agreement(model, batch, full, full.varied(amp=dtype))


def _agreement(model: nn.Module, batch: Batch, reference: TrainerMaker, other: TrainerMaker) -> GradientAgreement:
    """Compare the gradients of two trainings on the same weights, without dropout.

    Raises NoVerdict when a step of the user's own draws random numbers, as mixing images does.

    The zero factors of a new adapter are filled: otherwise the gradients of their counterparts are zero too. The factor
    between flattened gradients g (reference) and h is the least-squares solution (g . h) / (g . g).

    A difference is relative to the norm of the tensor's gradient, but to no less than `LEAST_SHARE` of the norm of all
    gradients together, or the machine epsilon of the coarsest dtype if that is more. A gradient whose true value is
    zero is rounding alone: softmax is blind to a constant in its inputs, so to a key's bias, and a normalization to a
    bias in front of it. As a share of the norm of all, such rounding was 1e-8 in float32 and 1e-4 in bfloat16.
    """
    import torch

    with ExitStack() as stack:
        stack.enter_context(preserved(model))
        stack.enter_context(zero_factors_filled(model))
        stack.enter_context(without_dropout(model))
        model.train()
        states = generator_states()
        first_loss, first = _gradients(model, reference.on(model, batch))
        if reference.recipe.step is not None and generator_states() != states:
            raise NoVerdict(
                "this compares two passes with dropout switched off, and `train.step` draws random numbers in each: "
                f"{reference.recipe.step}"
            )
        second_loss, second = _gradients(model, other.on(model, batch))
        epsilon = _epsilon(model, reference, other)
    norms = {name: float(gradient.norm()) for name, gradient in first.items()}
    norm = hypot(*norms.values())
    floor = max(LEAST_SHARE, epsilon) * norm
    differences = {name: float((second[name] - gradient).norm()) for name, gradient in first.items()}
    deviations = [
        TensorDeviation(name, _relative(difference, max(norms[name], floor)))
        for name, difference in differences.items()
    ]
    flat, other_flat = (torch.cat([g.flatten() for g in found.values()]) for found in (first, second))
    return GradientAgreement(
        loss=abs(second_loss - first_loss) / max(abs(first_loss), 1e-30),
        tensors=tuple(sorted(deviations, key=lambda entry: -entry.relative)),
        factor=float(flat @ other_flat / (flat @ flat).clamp(min=1e-30)),
        norm=norm,
        floor=floor,
        unresolved=tuple(
            name
            for name, difference in differences.items()
            if norms[name] < floor and _relative(difference, norms[name]) > sqrt(epsilon)
        ),
    )


def _gradients(model: nn.Module, trainer: Trainer) -> tuple[float, dict[str, Tensor]]:
    """Return the mean loss, and each parameter's gradient by name, in its shape, in float64 on the CPU.

    Raises Inconclusive when the loss or a gradient is not finite, or no parameter has a gradient.
    """
    loss = trainer.finite_backward()
    gradients = {name: p.grad.detach().double().cpu() for name, p in model.named_parameters() if p.grad is not None}
    if not gradients:
        raise Inconclusive("no parameter has a gradient; see `dead_gradients`")
    bad = [name for name, gradient in gradients.items() if not gradient.isfinite().all()]
    if bad:
        raise Inconclusive(f"the gradient of {bad[0]} is not finite; see `nonfinite_gradients`")
    return loss, gradients


def _epsilon(model: nn.Module, *trainings: TrainerMaker) -> float:
    """Return the largest machine epsilon of the dtypes of the gradients and of autocast."""
    import torch

    dtypes = {p.grad.dtype for p in model.parameters() if p.grad is not None}
    dtypes |= {getattr(torch, each.recipe.amp) for each in trainings if each.recipe.amp != "none"}
    return max(torch.finfo(dtype).eps for dtype in dtypes)


def _relative(difference: float, norm: float) -> float:
    """Return the norm of a difference relative to another norm; 0 for no difference."""
    return difference / max(norm, 1e-30) if difference else 0.0
