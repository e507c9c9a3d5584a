"""The measurements `accumulation` and `precision`: whether two ways to compute gradients agree."""

from __future__ import annotations

from contextlib import ExitStack
from math import sqrt
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from retspec.errors import Inconclusive, NoVerdict, named
from retspec.facts import GradientAgreement, TensorDeviation
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import zero_factors_filled
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.state import preserved, weights_rounded
from retspec.subjects.seeds import generator_states
from retspec.subjects.training.gradients import epsilon_of, gradients
from retspec.subjects.training.single_norms import norms_in_single
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from retspec.measurements.training import Trained
    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.beginning import BatchGradient
    from retspec.subjects.training.gradients import Gradients
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer

AGREEING = 1e-5
"""Greatest difference, relative to the norm, at which two gradients in float32 agree; by rounding it was below 4e-6."""
EQUAL = 0.5
"""Share of a disagreement that two equal passes must reach to be its cause."""


def _accumulation_passes(recipe: Recipe, parts: int) -> Passes:
    return _fewest_accumulation_passes(recipe, parts) + Passes(forward=1, backward=1)


def _fewest_accumulation_passes(recipe: Recipe, parts: int) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=1 + parts, backward=1 + parts)


def _shared_accumulation_passes(recipe: Recipe, parts: int) -> Passes | None:
    return Passes(forward=parts, backward=parts) if recipe.accumulation == 1 else None


@measurement(
    cost=Cost.TRAINING,
    passes=_accumulation_passes,
    fewest_passes=_fewest_accumulation_passes,
    shared_passes=_shared_accumulation_passes,
)
def accumulation(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    made_training: Trained | None,
    *,
    parts: Annotated[int, Meta(ge=2, description="Micro-batches; the last one may be smaller.")] = 3,
) -> GradientAgreement:
    """Compare the gradients of the whole batch with those accumulated over micro-batches.

    The gradient of the whole batch is one of a training that was made, if the accumulated ones agree with it. If not,
    or if that says less, both are computed here.

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

    begun = made_training.beginning if made_training else None
    made = begun.gradient_of(model, trainer) if begun else None
    if made and (found := _agreement_with(made, model, batch, accumulated, blame)):
        return found
    return _agreement(model, batch, whole, accumulated, suits=_require_images_apart, blame=blame)


def _agreement_with(
    made: BatchGradient,
    model: nn.Module,
    batch: Batch,
    accumulated: TrainerMaker,
    blame: Callable[[Exception], Exception],
) -> GradientAgreement | None:
    """Compare a gradient that was made with the accumulated one at the same weights.

    None unless they agree as well as rounding lets them, each by its own norm.
    """
    with preserved(model), without_dropout(model):
        for name, parameter in model.named_parameters():
            if name in made.weights:
                parameter.data.copy_(made.weights[name])
        model.train()
        _require_images_apart(model)
        other = _other_gradients(model, accumulated.on(model, batch), blame)
        if other.tensors.keys() != made.gradients.tensors.keys():
            return None
        found = made.gradients.against(other, epsilon_of(model, accumulated))
    return found if found.worst.relative <= AGREEING and not found.unresolved else None


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

    The zero factors of a new adapter are filled: otherwise the gradients of their counterparts are zero too.
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
    first = gradients(model, reference.on(model, batch))
    if reference.recipe.step is not None and generator_states() != states:
        raise NoVerdict(
            "this compares two passes with dropout switched off, and `train.step` draws random numbers in each: "
            f"{reference.recipe.step}"
        )
    second = _other_gradients(model, other.on(model, batch), blame)
    epsilon, rounding = epsilon_of(model, reference, other), sqrt(epsilon_of(model, reference))
    found = first.against(second, epsilon)
    if found.worst.relative > rounding:
        again = first.against(gradients(model, reference.on(model, batch)), epsilon)
        _require_repeatable(again.worst, found.worst, rounding)
    coarse = other.recipe.amp
    if coarse != reference.recipe.amp and max(found.loss, found.worst.relative) > sqrt(epsilon):
        with weights_rounded(model, getattr(torch, coarse)):
            alone = first.against(gradients(model, reference.on(model, batch)), epsilon)
        return replace(found, explained=_explained(_deviations(found), _deviations(alone)))
    return found


def _deviations(found: GradientAgreement) -> tuple[TensorDeviation, ...]:
    """Return how far each gradient is from its reference, and the loss, which has no name."""
    return (TensorDeviation("", found.loss), *found.tensors)


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


def _other_gradients(model: nn.Module, trainer: Trainer, blame: Callable[[Exception], Exception]) -> Gradients:
    try:
        return gradients(model, trainer)
    except Inconclusive:
        raise
    except Exception as error:
        blamed = blame(error)
        if blamed is error:
            raise
        raise blamed from error
