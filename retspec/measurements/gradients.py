"""The measurements `accumulation` and `precision`: whether two ways to compute gradients agree."""

from __future__ import annotations

from contextlib import ExitStack
from math import hypot, sqrt
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from retspec.errors import Inconclusive, NoVerdict, named
from retspec.facts import GradientAgreement, TensorDeviation
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import zero_factors_filled
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.state import in_double, preserved, weights_rounded
from retspec.subjects.seeds import generator_states
from retspec.subjects.training.single_norms import norms_in_single
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer

LEAST_SHARE = 1e-2
"""Least norm that a difference is relative to, as a share of the norm of all gradients: rounding is far below it."""
EQUAL = 0.5
"""Share of a disagreement that two equal passes must reach to be its cause."""


def _accumulation_passes(recipe: Recipe, parts: int) -> Passes:
    return _fewest_accumulation_passes(recipe, parts) + Passes(forward=1, backward=1)


def _fewest_accumulation_passes(recipe: Recipe, parts: int) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=1 + parts, backward=1 + parts)


@measurement(cost=Cost.TRAINING, passes=_accumulation_passes, fewest_passes=_fewest_accumulation_passes)
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
    sizes = [len(inputs) for inputs, _ in batch.split(parts)]

    def blame(error: Exception) -> NoVerdict:
        return NoVerdict(
            f"the training takes the batch of {len(batch.inputs)} images, and fails on the micro-batches of "
            f"{min(sizes)} to {max(sizes)} that this check divides it into: {named(error)}; raise `train.batch_size`"
        )

    return _agreement(model, batch, whole, accumulated, suits=_require_images_apart, blame=blame)


def _require_images_apart(model: nn.Module) -> None:
    """Raise Inconclusive for a model, in train mode, that normalizes with statistics of the batch.

    See https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """
    from torch import nn

    kind = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - the only common base
    found = [name for name, module in model.named_modules() if isinstance(module, kind) and module.training]
    if found:
        raise Inconclusive(
            f"a BatchNorm in train mode takes its statistics from each micro-batch, so that accumulated gradients "
            f"cannot be those of the whole batch: {listing(found)}; leave this criterion out, or keep the batch "
            "normalization in eval mode"
        )


def _precision_passes(recipe: Recipe, dtype: str) -> Passes:
    return _fewest_precision_passes(recipe, dtype) + Passes(forward=2, backward=2)


def _fewest_precision_passes(recipe: Recipe, dtype: str) -> Passes:  # noqa: ARG001 - the same
    return Passes(forward=2, backward=2)


@measurement(cost=Cost.TRAINING, passes=_precision_passes, fewest_passes=_fewest_precision_passes)
def precision(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    *,
    dtype: Annotated[Literal["bfloat16", "float16"], Meta(description="Autocast dtype.")] = "bfloat16",
) -> GradientAgreement:
    """Compare loss and gradients under autocast with those in full precision.

    Where they disagree, the same is done with weights that are rounded to the autocast dtype, all else in full
    precision: a gradient that this changes as much is that sensitive, and no operation of autocast is to blame.

    See https://docs.pytorch.org/docs/stable/amp.html, and on the condition of a problem N. J. Higham, Accuracy and
    Stability of Numerical Algorithms, chapter 1

    On a CPU, layer and group norms compute in float32, as under the autocast of CUDA; see `norms_in_single`.

    Raises Inconclusive for no gradients, and for a loss or gradient that is not finite.
    """
    full = trainer.varied(accumulation=1, amp="none")
    with norms_in_single():
        return _agreement(model, batch, full, full.varied(amp=dtype))


def _agreement(
    model: nn.Module,
    batch: Batch,
    reference: TrainerMaker,
    other: TrainerMaker,
    *,
    suits: Callable[[nn.Module], None] = lambda _model: None,
    blame: Callable[[Exception], Exception] = lambda error: error,
) -> GradientAgreement:
    """Compare the gradients of two trainings on the same weights, without dropout.

    suits: is called with the model in train mode, and raises what makes the comparison pointless. blame: returns what
    to raise where the other training fails and the reference does not.

    Raises NoVerdict when a step of the user's own draws random numbers, as mixing images does, and Inconclusive when
    two equal passes disagree nearly as much as the two trainings.

    The zero factors of a new adapter are filled: otherwise the gradients of their counterparts are zero too. The factor
    between flattened gradients g (reference) and h is the least-squares solution (g . h) / (g . g).

    A difference is relative to the norm of the tensor's gradient, but to no less than `LEAST_SHARE` of the norm of all
    gradients together, or the machine epsilon of the coarsest dtype if that is more. A gradient whose true value is
    zero is rounding alone: softmax is blind to a constant in its inputs, so to a key's bias, and a normalization to a
    bias in front of it. As a share of the norm of all, such rounding was 1e-8 in float32 and 1e-4 in bfloat16.
    """
    with ExitStack() as stack:
        stack.enter_context(preserved(model))
        stack.enter_context(zero_factors_filled(model))
        stack.enter_context(without_dropout(model))
        model.train()
        suits(model)
        return _compared(model, batch, reference, other, blame)


def _compared(
    model: nn.Module,
    batch: Batch,
    reference: TrainerMaker,
    other: TrainerMaker,
    blame: Callable[[Exception], Exception],
) -> GradientAgreement:
    """Return the facts about both; two more passes, equal to the first and with rounded weights, look for a cause."""
    import torch

    states = generator_states()
    first_loss, first = _gradients(model, reference.on(model, batch))
    if reference.recipe.step is not None and generator_states() != states:
        raise NoVerdict(
            "this compares two passes with dropout switched off, and `train.step` draws random numbers in each: "
            f"{reference.recipe.step}"
        )
    second_loss, second = _other_gradients(model, other.on(model, batch), blame)
    epsilon, rounding = _epsilon(model, reference, other), sqrt(_epsilon(model, reference))
    norms = {name: float(gradient.norm()) for name, gradient in first.items()}
    norm = hypot(*norms.values())
    floor = max(LEAST_SHARE, epsilon) * norm
    tensors = _deviations(first, second, norms, floor)
    if tensors[0].relative > rounding:
        _, again = _gradients(model, reference.on(model, batch))
        _require_repeatable(_deviations(first, again, norms, floor)[0], tensors[0], rounding)
    loss, explained = _relative(abs(second_loss - first_loss), abs(first_loss)), 0.0
    coarse = other.recipe.amp
    if coarse != reference.recipe.amp and max(loss, tensors[0].relative) > sqrt(epsilon):
        with weights_rounded(model, getattr(torch, coarse)):
            rounded_loss, rounded = _gradients(model, reference.on(model, batch))
        of_loss = TensorDeviation("", _relative(abs(rounded_loss - first_loss), abs(first_loss)))
        alone = (of_loss, *_deviations(first, rounded, norms, floor))
        explained = _explained((TensorDeviation("", loss), *tensors), alone)
    flat, other_flat = (torch.cat([g.flatten() for g in found.values()]) for found in (first, second))
    apart = {name: _relative(float((second[name] - first[name]).norm()), norms[name]) for name in first}
    return GradientAgreement(
        loss=loss,
        tensors=tensors,
        factor=float(flat @ other_flat / (flat @ flat).clamp(min=1e-30)),
        norm=norm,
        floor=floor,
        unresolved=tuple(name for name in first if norms[name] < floor and apart[name] > sqrt(epsilon)),
        explained=explained,
    )


def _deviations(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], norms: Mapping[str, float], floor: float
) -> tuple[TensorDeviation, ...]:
    """Return how far each gradient is from its reference, relative to its norm or to a larger floor, worst first."""
    deviations = (
        TensorDeviation(name, _relative(float((second[name] - gradient).norm()), max(norms[name], floor)))
        for name, gradient in first.items()
    )
    return tuple(sorted(deviations, key=lambda entry: -entry.relative))


def _explained(found: Sequence[TensorDeviation], alone: Sequence[TensorDeviation]) -> float:
    """Return the least share of a large deviation that rounded weights alone make up, of the same gradient.

    Large is what is at least half of the largest.
    """
    worst, by_name = max(each.relative for each in found), {each.name: each.relative for each in alone}
    large = (each for each in found if each.relative >= EQUAL * worst)
    return min(by_name[each.name] / each.relative for each in large)


def _require_repeatable(repeated: TensorDeviation, found: TensorDeviation, rounding: float) -> None:
    """Raise Inconclusive when two equal passes disagree beyond rounding, and nearly as much as what was found."""
    if repeated.relative > max(rounding, EQUAL * found.relative):
        raise Inconclusive(
            f"two equal passes over one batch, without dropout, give other gradients already: that of {repeated.name} "
            f"differs by {repeated.relative:.1e}, so that a comparison says nothing. Look for random numbers or a "
            "state in the model or the loss (`determinism_atol`)"
        )


def _other_gradients(
    model: nn.Module, trainer: Trainer, blame: Callable[[Exception], Exception]
) -> tuple[float, dict[str, Tensor]]:
    try:
        return _gradients(model, trainer)
    except Inconclusive:
        raise
    except Exception as error:
        blamed = blame(error)
        if blamed is error:
            raise
        raise blamed from error


def _gradients(model: nn.Module, trainer: Trainer) -> tuple[float, dict[str, Tensor]]:
    """Return the mean loss, and each parameter's gradient by name, in float64 on the CPU.

    Raises Inconclusive when the loss or a gradient is not finite, or no parameter has a gradient.
    """
    loss = trainer.finite_backward()
    gradients = {name: in_double(p.grad) for name, p in model.named_parameters() if p.grad is not None}
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
