"""`Gradients`: what a batch gives at some weights, and how far two of them are apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import GradientAgreement, TensorDeviation
from retspec.subjects.models.state import in_double

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer

LEAST_SHARE = 1e-2
"""Least norm that a difference is relative to, as a share of the norm of all gradients: rounding is far below it."""


@dataclass(frozen=True)
class Gradients:
    """The mean loss of a batch and its gradients by the names of the parameters, in float64 on the CPU."""

    loss: float
    tensors: Mapping[str, Tensor]

    @staticmethod
    def held_by(model: nn.Module, loss: float) -> Gradients:
        """Return a copy of those that the parameters hold."""
        return Gradients(loss, {name: in_double(p.grad) for name, p in model.named_parameters() if p.grad is not None})

    def against(self, other: Gradients, epsilon: float) -> GradientAgreement:
        """Return how far others of the same parameters are from these.

        epsilon: the largest machine epsilon with which either was computed.

        A difference is relative to the norm of the tensor's gradient, but to no less than `LEAST_SHARE` of the norm of
        all gradients together, or `epsilon` if that is more. A gradient whose true value is zero is rounding alone:
        softmax is blind to a constant in its inputs, so to a key's bias, and a normalization to a bias in front of it.
        As a share of the norm of all, such rounding was 1e-8 in float32 and 1e-4 in bfloat16.

        The factor between flattened gradients g (these) and h is the least-squares solution (g . h) / (g . g).
        """
        import torch

        norms = {name: float(gradient.norm()) for name, gradient in self.tensors.items()}
        norm = hypot(*norms.values())
        floor = max(LEAST_SHARE, epsilon) * norm
        distances = {name: float((other.tensors[name] - gradient).norm()) for name, gradient in self.tensors.items()}
        deviations = [TensorDeviation(name, _relative(distances[name], max(norms[name], floor))) for name in norms]
        flat, other_flat = (torch.cat([g.flatten() for g in each.tensors.values()]) for each in (self, other))
        is_apart = {name: _relative(distances[name], norms[name]) > sqrt(epsilon) for name in norms}
        return GradientAgreement(
            loss=_relative(abs(other.loss - self.loss), abs(self.loss)),
            tensors=tuple(sorted(deviations, key=lambda entry: -entry.relative)),
            factor=float(flat @ other_flat / (flat @ flat).clamp(min=1e-30)),
            norm=norm,
            floor=floor,
            unresolved=tuple(name for name in norms if norms[name] < floor and is_apart[name]),
        )


def gradients(model: nn.Module, trainer: Trainer) -> Gradients:
    """Return what a trainer computes of its batch, at the weights of the model.

    Raises Inconclusive when the loss or a gradient is not finite, or no parameter has a gradient.
    """
    found = Gradients.held_by(model, trainer.finite_backward())
    if not found.tensors:
        raise Inconclusive("no parameter has a gradient; see `dead_gradients`")
    bad = [name for name, gradient in found.tensors.items() if not gradient.isfinite().all()]
    if bad:
        raise Inconclusive(f"the gradient of {bad[0]} is not finite; see `nonfinite_gradients`")
    return found


def epsilon_of(model: nn.Module, *trainings: TrainerMaker) -> float:
    """Return the largest machine epsilon of the dtypes of the gradients and of autocast."""
    import torch

    dtypes = {p.grad.dtype for p in model.parameters() if p.grad is not None}
    dtypes |= {getattr(torch, each.recipe.amp) for each in trainings if each.recipe.amp != "none"}
    return max(torch.finfo(dtype).eps for dtype in dtypes)


def _relative(difference: float, norm: float) -> float:
    """Return the norm of a difference relative to another norm; 0 for no difference."""
    return difference / max(norm, 1e-30) if difference else 0.0
