"""The measurement `checkpoint`: whether the model has the weights of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Checkpoint
from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from torch import Tensor, nn

    from retspec.subjects.checkpoints import Loaded


@measurement(cost=Cost.FORWARD)
def checkpoint(model: nn.Module, loaded: Loaded) -> Checkpoint:
    """Compare the weights of the wrapped model with the file that they were loaded from.

    Frozen weights must equal the file. All weights that fit are checked for NaN and infinity: in the file, and where it
    was loaded also in the model, whose dtype may not hold them.

    Raises SubjectError when the file cannot be read safely.
    """
    fitted = loaded.placed_in(model)
    frozen = {name for name in fitted.fitting if not fitted.places[name].requires_grad}
    held = fitted.places if loaded.loading.fill else fitted.fitting
    return Checkpoint(
        loading=loaded.loading,
        nonfinite=tuple(
            name for name, tensor in fitted.fitting.items() if not (_is_finite(tensor) and _is_finite(held[name]))
        ),
        compared=len(frozen),
        altered=tuple(name for name in loaded.altered(fitted) if name in frozen),
    )


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())
