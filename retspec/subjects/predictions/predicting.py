"""What a model says of images: in evaluation mode, without gradients, batch after batch."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

from retspec.errors import SubjectError
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn


class Watcher(Protocol):
    """Looks on while a model predicts."""

    def watching(self, model: nn.Module) -> AbstractContextManager[object]:
        """Return what is entered around each forward pass."""

    def saw(self, probabilities: Tensor) -> None:
        """Take what was predicted of the latest batch, (images, outputs), in float64 on the CPU."""


def predicted(
    model: nn.Module, batches: Iterable[Tensor], kind: str = "classes", watcher: Watcher | None = None
) -> NDArray[np.float64]:
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
            with watcher.watching(model) if watcher else nullcontext():
                outputs = in_rows(logits_of(model(inputs)))
            if outputs.dim() != 2 or len(outputs) != len(inputs):  # noqa: PLR2004 - images and outputs
                raise SubjectError(
                    f"the model returns {tuple(outputs.shape)} for {len(inputs)} images, and predictions need a row of "
                    f"{kind} for each",
                    path="model",
                )
            found.append(ACTIVATIONS[kind](outputs))
            if watcher:
                watcher.saw(found[-1])
    result: NDArray[np.float64] = torch.cat(found).numpy()
    return result


def in_rows(logits: Tensor) -> Tensor:
    """Return logits in float64 on the CPU, (images, outputs); those of a single output may be (images,)."""
    outputs = logits.detach().double().cpu()
    return outputs.unsqueeze(1) if outputs.dim() == 1 else outputs


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


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"classes": _softmax, "labels": _logistic, "values": _value}
"""What outputs (images, outputs) say, by the kind of predictions."""
