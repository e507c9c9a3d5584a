"""The measurement `features`: one forward pass, watched where the head begins."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from retspec.plugin import Cost, Inconclusive, Passes, SubjectError, measurement
from retspec.toolkit import head_layer, preserved, single_precision

from retspec_features.facts import Features

if TYPE_CHECKING:
    from retspec.facts import Geometry
    from retspec.plugin import Recipe
    from retspec.toolkit import Batch
    from torch import Tensor, nn

LEAST_IMAGES = 4
"""Different images under which rank and spread say more about the batch than about the model."""
ROUNDING = 1e-5
"""Relative size under which a difference may come from rounding in single precision."""


def _passes(recipe: Recipe) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=1)


@measurement(cost=Cost.FORWARD, passes=_passes)
def features(model: nn.Module, batch: Batch, geometry: Geometry) -> Features:
    """Gather what enters the head, in eval mode and at least single precision.

    Raises Inconclusive for fewer than four different images, SubjectError for a model without a head.
    """
    images = _different(batch.inputs)
    if images < LEAST_IMAGES:
        raise Inconclusive(
            f"the batch holds {images} different images, this needs {LEAST_IMAGES}; raise `train.batch_size`"
        )
    name, head = head_layer(model, geometry.classifier)
    matrix = _entering(head, model, batch.inputs)
    if not matrix.isfinite().all():
        raise Inconclusive("a feature is not finite; look for NaN in weights and inputs")
    return _facts(matrix, name, images)


def _different(inputs: Tensor) -> int:
    import torch

    return len(torch.unique(inputs.flatten(1).cpu(), dim=0))


def _entering(head: nn.Module, model: nn.Module, inputs: Tensor) -> Tensor:
    """Return what enters the head as a matrix (images, features) of double precision on the CPU."""
    import torch

    seen: list[Tensor] = []

    def note(_module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        seen.append((*arguments, *keywords.values())[0])

    with ExitStack() as stack:
        stack.enter_context(preserved(model))
        stack.enter_context(single_precision(model))
        stack.enter_context(torch.no_grad())
        stack.callback(head.register_forward_pre_hook(note, with_kwargs=True).remove)
        model.eval()
        model(inputs.float() if inputs.dtype in {torch.float16, torch.bfloat16} else inputs)
    if len(seen) != 1 or len(seen[0]) != len(inputs):
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in seen) or "nothing"
        raise SubjectError(f"the head must run once, on one row per image; it saw {shapes}")
    return seen[0].flatten(1).cpu().double()  # MPS has no double precision


def _facts(matrix: Tensor, head: str, images: int) -> Features:
    import torch

    norm = float(torch.linalg.matrix_norm(matrix))
    centred = matrix - matrix.mean(dim=0)
    singular_values: list[float] = torch.linalg.svdvals(centred).tolist()
    changes = centred.abs().amax(dim=0) > ROUNDING * matrix.abs().max()
    return Features(
        head=head,
        images=images,
        width=matrix.shape[1],
        dead=int((~changes).sum()),
        norm=norm,
        singular_values=tuple(value for value in singular_values if value > ROUNDING * norm),
    )
