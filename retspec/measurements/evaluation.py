"""The measurements `evaluation` and `isolation`: what a forward pass depends on, and what it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import Evaluation, Isolation
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.state import fingerprint, preserved

if TYPE_CHECKING:
    from torch import Tensor, nn

    from retspec.subjects.data.batch import Batch

ALONE = 2
"""Number of images that are also passed alone."""


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=2))  # noqa: ARG005 - every counter gets the recipe
def evaluation(model: nn.Module, batch: Batch) -> Evaluation:
    """Pass the batch twice in eval mode, and compare logits and buffers.

    Raises Inconclusive for logits that are not finite.
    """
    import torch

    with preserved(model) as snapshot, torch.no_grad():
        model.eval()
        first = logits_of(model(batch.inputs)).clone()
        second = logits_of(model(batch.inputs)).clone()
        drifted = [
            name for name, b in model.named_buffers() if int(fingerprint(b)) != int(fingerprint(snapshot.buffers[name]))
        ]
    return Evaluation(difference=largest_difference(first, second), drifted=tuple(drifted))


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=2 + ALONE, backward=1))  # noqa: ARG005 - the same
def isolation(model: nn.Module, batch: Batch) -> Isolation:
    """Pass images alone and inside the batch, and test whether one image's logits depend on another image.

    The gradient of the logits with respect to the other images shows it, as in "use backprop to chart dependencies" of
    https://karpathy.github.io/2019/04/25/recipe/

    Raises Inconclusive for a batch of one image, integer inputs, logits or gradients that are not finite, and logits
    that do not depend on their own image.
    """
    import torch

    if len(batch.inputs) < ALONE:
        raise Inconclusive("a batch of one image has no neighbours; raise `train.batch_size`")
    with preserved(model):
        model.eval()
        with torch.no_grad():
            inside = logits_of(model(batch.inputs))[:ALONE]
            alone = torch.cat([logits_of(model(batch.inputs[i : i + 1])) for i in range(ALONE)])
        normalized = _train_but_batch_normalization(model)
        with without_dropout(model):
            leak = _leak(model, batch.inputs)
    return Isolation(difference=largest_difference(inside, alone), leak=leak, batch_normalized=normalized)


def _train_but_batch_normalization(model: nn.Module) -> bool:
    """Put the model into train mode, except its batch normalizations; return whether it has any."""
    from torch import nn

    model.train()
    normalizations = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001 - the only common base
    for module in normalizations:
        module.eval()
    return bool(normalizations)


def _leak(model: nn.Module, inputs: Tensor) -> float:
    """Return the largest absolute gradient of the first image's logits with respect to a pixel of another image.

    It is the gradient of the sum of squares of the logits. inputs: (batch, ...), at least two.

    Raises Inconclusive for integer inputs, and for a gradient that is missing, not finite, or zero at the first image.
    """
    if not inputs.is_floating_point():
        raise Inconclusive("the inputs are integers, which have no gradient")
    watched = inputs.detach().clone().requires_grad_()
    own = logits_of(model(watched))[0]
    if not own.requires_grad:
        raise Inconclusive("no gradient reaches the inputs, so a leak could not show; see `dead_gradients`")
    own.float().square().sum().backward()  # type: ignore[no-untyped-call] # reentrant checkpointing refuses autograd.grad
    gradient = watched.grad
    if gradient is None or not gradient[0].any():
        raise Inconclusive("the output does not depend on its own image, so a leak could not show; see `input_matters`")
    if not gradient.isfinite().all():
        raise Inconclusive("the gradient of the output is not finite; see `nonfinite_gradients`")
    return float(gradient[1:].abs().max())
