"""Faults of a checkpoint: what is lost between its file and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@fault(families="checkpoint predictions", noticed_by="checkpoint_coverage max_missing_keys", frequency=Frequency.OFTEN)
def checkpoint_half_loaded(checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Half of the names in the file fit no name of the model, and `strict=False` says nothing."""
    names = sorted(checkpoint)
    lost = {*names[len(names) // 2 :]}
    return {f"encoder_q.{name}" if name in lost else name: tensor for name, tensor in checkpoint.items()}


@fault(families="checkpoint predictions", noticed_by="backbone_matches_file", frequency=Frequency.SOMETIMES)
def initialized_after_loading(checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The layers are initialized after the weights were loaded."""
    import torch

    return {
        name: torch.randn_like(tensor) * 0.02 if tensor.is_floating_point() and tensor.ndim > 1 else tensor
        for name, tensor in checkpoint.items()
    }


@fault(
    families="checkpoint predictions",
    noticed_by="max_shape_mismatches checkpoint_coverage",
    frequency=Frequency.SOMETIMES,
)
def checkpoint_of_another_shape(checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A layer of the file has another size than that of the model."""
    name = next((name for name in sorted(checkpoint) if checkpoint[name].ndim > 1), None)
    if name is None:
        raise DoesNotApply("the checkpoint has no matrix of weights")
    return {**checkpoint, name: checkpoint[name][:-1]}


@fault(families="checkpoint predictions", noticed_by="nonfinite_weights", frequency=Frequency.RARELY)
def checkpoint_has_nan(checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """One weight of the file is NaN, as after a training that diverged."""
    name = next((name for name in sorted(checkpoint) if checkpoint[name].ndim > 1), None)
    if name is None:
        raise DoesNotApply("the checkpoint has no matrix of weights")
    tensor = checkpoint[name].clone()
    tensor.view(-1)[0] = float("nan")
    return {**checkpoint, name: tensor}
