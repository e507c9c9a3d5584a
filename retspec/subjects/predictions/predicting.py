"""What a model says of images: in evaluation mode, without gradients, batch after batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn


def predicted(model: nn.Module, batches: Iterable[Tensor], kind: str = "classes") -> NDArray[np.float64]:
    """Return what a model says of all images, (images, outputs), and leave the model as it was.

    kind: `classes`, `labels` or `values`. Of classes it is the softmax of the logits; of a single one, its logistic
    function is that of the second of two classes. Of several labels it is the logistic function of each, and of a
    regression the output itself. All are computed in float64: in float32, scores near 1 become equal, and ranks are
    lost.

    batches: inputs on the device of the model. Raises SubjectError for outputs that are not a row per image, and for
    more than one value.
    """
    import torch

    found = []
    with preserved(model), torch.no_grad():
        model.eval()
        for inputs in batches:
            outputs = logits_of(model(inputs)).double().cpu()
            if outputs.dim() == 1:
                outputs = outputs.unsqueeze(1)
            if outputs.dim() != 2 or len(outputs) != len(inputs):  # noqa: PLR2004 - images and outputs
                raise SubjectError(
                    f"the model returns {tuple(outputs.shape)} for {len(inputs)} images, and predictions need a row of "
                    f"{kind} for each",
                    path="model",
                )
            found.append(_ACTIVATIONS[kind](outputs))
    result: NDArray[np.float64] = torch.cat(found).numpy()
    return result


def _softmax(logits: Tensor) -> Tensor:
    import torch

    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return logits.softmax(dim=1)


def _logistic(logits: Tensor) -> Tensor:
    return logits.sigmoid()


def _value(outputs: Tensor) -> Tensor:
    if outputs.shape[1] != 1:
        raise SubjectError(
            f"the model returns {outputs.shape[1]} numbers for each image, and predictions of a regression are one",
            path="model",
        )
    return outputs


_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"classes": _softmax, "labels": _logistic, "values": _value}
