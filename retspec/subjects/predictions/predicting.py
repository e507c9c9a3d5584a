"""What a model says of images: in evaluation mode, without gradients, batch after batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn


def probabilities(model: nn.Module, batches: Iterable[Tensor]) -> NDArray[np.float64]:
    """Return the probability of each class for all images, (images, classes), and leave the model as it was.

    It is the softmax of the logits; of a single one, its logistic function is that of the second of two classes. Both
    are computed in float64: in float32, scores near 1 become equal, and ranks are lost.

    batches: inputs on the device of the model. Raises SubjectError for outputs that are not a row per image.
    """
    import torch

    found = []
    with preserved(model), torch.no_grad():
        model.eval()
        for inputs in batches:
            logits = logits_of(model(inputs)).double().cpu()
            if logits.dim() == 1:
                logits = logits.unsqueeze(1)
            if logits.dim() != 2 or len(logits) != len(inputs):  # noqa: PLR2004 - images and classes
                raise SubjectError(
                    f"the model returns {tuple(logits.shape)} for {len(inputs)} images, and predictions need a row of "
                    "classes for each",
                    path="model",
                )
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            found.append(logits.softmax(dim=1))
    result: NDArray[np.float64] = torch.cat(found).numpy()
    return result
