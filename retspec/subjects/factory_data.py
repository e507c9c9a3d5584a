"""`data: {factory: "package.module:callable", kwargs: {...}}`: a batch, a Dataset or a DataLoader of yours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.plugin import data_source
from retspec.subjects.factory_model import Reference
from retspec.subjects.references import call, load_callable

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.data import Dataset

    from retspec.facts import BatchRequest

INPUT_KEYS = ("pixel_values", "image", "images", "input", "inputs", "x")
TARGET_KEYS = ("labels", "label", "target", "targets", "y")
PATH = "data.factory"


@data_source
def factory(
    reference: Reference,
    request: BatchRequest,
    *,
    kwargs: Annotated[dict[str, Any], Meta(description="Passed to the callable.")] = {},  # noqa: B006 - read only
) -> tuple[Tensor, Tensor]:
    """Take one batch from what your callable returns.

    A DataLoader gives its first batch. A Dataset gives `train.batch_size` items spread evenly over it, since a sorted
    one would give a single class. Items and batches are pairs, or mappings with one of the usual keys.
    """
    from torch.utils.data import DataLoader, Dataset

    made = call(reference, load_callable(reference, path=PATH), dict(kwargs), path=PATH)
    if isinstance(made, Dataset):
        made = _loader(made, request.size())
    if isinstance(made, DataLoader):
        made = call(f"{reference}: its first batch", lambda: next(iter(made)), {}, path=PATH)
    return _pair(made, reference)


def _loader(dataset: Dataset[Any], batch_size: int) -> Any:
    from torch.utils.data import DataLoader, IterableDataset, Subset

    if isinstance(dataset, IterableDataset):
        return DataLoader(dataset, batch_size=batch_size)
    length = len(dataset)  # type: ignore[arg-type]
    taken = min(batch_size, length)
    return DataLoader(Subset(dataset, [index * length // taken for index in range(taken)]), batch_size=max(taken, 1))


def _pair(batch: Any, reference: str) -> tuple[Tensor, Tensor]:
    """Return (inputs, targets) of a batch that is a pair or a mapping."""
    import torch

    if isinstance(batch, Mapping):
        inputs, targets = _pick(batch, INPUT_KEYS, reference), _pick(batch, TARGET_KEYS, reference)
    elif isinstance(batch, (tuple, list)) and len(batch) == 2:  # noqa: PLR2004 - a pair
        inputs, targets = batch
    else:
        raise SubjectError(
            f"{reference} gave {type(batch).__name__}; a batch is a pair (inputs, targets) or a mapping",
            path=PATH,
        )
    for name, value in (("inputs", inputs), ("targets", targets)):
        if not isinstance(value, torch.Tensor):
            raise SubjectError(f"{reference}: {name} are {type(value).__name__}, not a tensor", path=PATH)
    if len(inputs) == 0 or len(inputs) != len(targets):
        raise SubjectError(f"{reference}: {len(inputs)} inputs and {len(targets)} targets make no batch", path=PATH)
    return inputs, targets


def _pick(batch: Mapping[str, Any], keys: tuple[str, ...], reference: str) -> Any:
    for key in keys:
        if key in batch:
            return batch[key]
    raise SubjectError(
        f"{reference} gave a mapping with the keys {', '.join(map(str, batch))}; one of {', '.join(keys)} is needed",
        path=PATH,
    )
