"""Find inputs and targets in what a user's code returns: a batch, a Dataset or a DataLoader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.callables import call

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.data import DataLoader, Dataset

INPUT_KEYS = ("pixel_values", "image", "images", "input", "inputs", "x")
TARGET_KEYS = ("labels", "label", "target", "targets", "y")


def first_pair(made: Any, size: int, giver: str, *, path: str) -> tuple[Tensor, Tensor]:
    """Return inputs and targets, each (batch, ...): of a batch, a DataLoader's first one, or `size` items of a Dataset.

    The items are spread evenly over the Dataset, since the first items of a sorted one have a single class.

    giver: what returned it, for messages.

    Raises SubjectError at the place `path` in the spec when there is no batch.
    """
    from torch.utils.data import DataLoader, Dataset

    if isinstance(made, Dataset):
        made = _loader(made, size, giver, path)
    if isinstance(made, DataLoader):
        made = call(f"{giver}: its first batch", lambda: next(iter(made), None), {}, path=path)
        if made is None:
            raise SubjectError(f"{giver} is empty: it gives no batch", path=path)
    return pair_of(made, giver, path=path)


def spread(size: int, length: int) -> list[int]:
    """Return `size` indices spread evenly over `length` items, or all indices if there are fewer items."""
    taken = min(size, length)
    return [index * length // taken for index in range(taken)]


def _loader(dataset: Dataset[Any], size: int, giver: str, path: str) -> DataLoader[Any]:
    from torch.utils.data import DataLoader, IterableDataset, Subset

    if isinstance(dataset, IterableDataset):
        return DataLoader(dataset, batch_size=size)
    indices = spread(size, len(dataset))  # type: ignore[arg-type]
    if not indices:
        raise SubjectError(f"{giver}: the dataset has no items", path=path)
    return DataLoader(Subset(dataset, indices), batch_size=len(indices))


def pair_of(batch: Any, giver: str, *, path: str) -> tuple[Tensor, Tensor]:
    """Return inputs and targets, each (batch, ...), of a tuple that begins with them, a mapping, or a record.

    giver: what returned the batch, for messages.

    Raises SubjectError at the place `path` in the spec for anything else.
    """
    import torch

    if isinstance(batch, (tuple, list)) and len(batch) >= 2:  # noqa: PLR2004 - entries after the pair are ignored
        inputs, targets = batch[0], batch[1]
    elif named := dict(batch) if isinstance(batch, Mapping) else getattr(batch, "__dict__", None):
        inputs, targets = (_pick(named, keys, batch, giver, path) for keys in (INPUT_KEYS, TARGET_KEYS))
    else:
        raise SubjectError(
            f"{giver} gave {type(batch).__name__}; a batch is a pair (inputs, targets), a mapping or a record",
            path=path,
        )
    for name, value in (("inputs", inputs), ("targets", targets)):
        if not isinstance(value, torch.Tensor):
            raise SubjectError(f"{giver}: {name} are {type(value).__name__}, not a tensor", path=path)
    if inputs.dim() == 0 or targets.dim() == 0 or len(inputs) == 0 or len(inputs) != len(targets):
        shapes = f"inputs {tuple(inputs.shape)} and targets {tuple(targets.shape)}"
        raise SubjectError(f"{giver}: {shapes} are not a batch", path=path)
    return inputs, targets


def _pick(named: Mapping[str, Any], keys: tuple[str, ...], batch: Any, giver: str, path: str) -> Any:
    for key in keys:
        if key in named:
            return named[key]
    kind = "a mapping with the keys" if isinstance(batch, Mapping) else f"{type(batch).__name__} with the attributes"
    raise SubjectError(
        f"{giver} gave {kind} {', '.join(map(str, named))}; one of {', '.join(keys)} is needed", path=path
    )
