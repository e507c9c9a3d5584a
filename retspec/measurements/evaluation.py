"""The measurements `evaluation` and `isolation`: what a forward pass depends on, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import Evaluation, Isolation
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.state import fingerprint, preserved, without_dropout

if TYPE_CHECKING:
    from torch import Tensor, nn

    from retspec.subjects.data.batch import Batch

ALONE = 2
"""Images that are passed alone."""


@measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=2))  # noqa: ARG005 - every counter gets the recipe
def evaluation(model: nn.Module, batch: Batch) -> Evaluation:
    """Pass the batch twice in eval mode, and compare outputs and buffers."""
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
    """Pass images alone and inside the batch, and check whether one image's output depends on another image.

    Raises Inconclusive for a batch of one image, and when a leak could not show in the gradient.
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
    """Put the model into train mode, its batch normalizations into eval mode; return whether there are any."""
    from torch import nn

    model.train()
    found = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001 - the only common base
    for module in found:
        module.eval()
    return bool(found)


def _leak(model: nn.Module, inputs: Tensor) -> float:
    """Return the largest absolute gradient of the first image's output with respect to another image.

    inputs: (batch, …), one entry per image. Raises Inconclusive for integer inputs, and when the gradient for the
    first image itself is missing, zero or not finite.
    """
    if not inputs.is_floating_point():
        raise Inconclusive("the inputs are integers, of which there is no gradient")
    watched = inputs.detach().clone().requires_grad_()
    own = logits_of(model(watched))[0]
    if not own.requires_grad:
        raise Inconclusive("no gradient comes back to the inputs, so a leak could not show; see `dead_gradients`")
    own.float().square().sum().backward()  # type: ignore[no-untyped-call] # reentrant checkpointing refuses autograd.grad
    gradient = watched.grad
    if gradient is None or not gradient[0].any():
        raise Inconclusive("the output does not depend on its own image, so a leak could not show; see `input_matters`")
    if not gradient.isfinite().all():
        raise Inconclusive("the gradient of the output is not finite; see `nonfinite_gradients`")
    return float(gradient[1:].abs().max())
