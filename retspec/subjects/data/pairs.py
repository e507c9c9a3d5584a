"""Find inputs and targets in what a user's code returns: a batch, a Dataset or a DataLoader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.callables import call
from retspec.subjects.data.parts import in_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.utils.data import DataLoader, Dataset

    from retspec.records import Keys
    from retspec.subjects.data.parts import Layout

INPUT_KEYS = ("pixel_values", "image", "images", "input", "inputs", "x")
TARGET_KEYS = ("labels", "label", "target", "targets", "y")


class Pair(tuple["Tensor", "Tensor"]):  # noqa: SLOT001 - a tuple with a slot is none to Python
    """Inputs and targets, each (images, ...), with the layout of several inputs or targets."""

    layout: Layout | None = None
    targets_layout: Layout | None = None


def first_pair(made: Any, size: int, giver: str, *, path: str, keys: Keys | None = None) -> Pair:
    """Return inputs and targets, each (batch, ...): of a batch, a DataLoader's first one, or `size` items of a Dataset.

    The items are spread evenly over the Dataset, since the first items of a sorted one have a single class.

    giver: what returned it, for messages.

    Raises SubjectError at the place `path` in the spec when there is no batch.
    """
    from torch.utils.data import DataLoader, Dataset

    if isinstance(made, Dataset):
        made = _loader(made, size, giver, path)
    if isinstance(made, DataLoader):
        loader = made
        made = _with_remedy(lambda: call(f"{giver}: its first batch", lambda: next(iter(loader), None), {}, path=path))
        if made is None:
            raise SubjectError(f"{giver} {_why_none(loader)}", path=path)
    return pair_of(made, giver, path=path, keys=keys)


def _why_none(loader: DataLoader[Any]) -> str:
    dataset: Any = loader.dataset
    if hasattr(dataset, "__len__") and len(dataset) >= (loader.batch_size or 1):
        return f"gives no batch of its {len(dataset)} items: something in it raised StopIteration"
    return "is empty: it gives no batch"


def _with_remedy(make: Callable[[], Any]) -> Any:
    """Say what to do where the items of a Dataset cannot be stacked to a batch."""
    try:
        return make()
    except SubjectError as error:
        message = str(error)
        if "PIL.Image" in message:
            remedy = "give the Dataset a transform that ends in a tensor"
        elif "stack expects each tensor to be equal size" in message:
            remedy = "bring all items to one size in a transform"
        else:
            raise
        raise SubjectError(f"{message}; {remedy}", path=error.path) from error


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


def pair_of(batch: Any, giver: str, *, path: str, keys: Keys | None = None) -> Pair:
    """Return inputs and targets, each (images, ...), of a tuple that begins with them, a mapping, or a record.

    Several inputs lie in rows (images, numbers), and so do several targets.

    giver: what returned the batch, for messages. keys: where they are, if the spec says so.

    Raises SubjectError at the place `path` in the spec for anything else.
    """
    import torch

    inputs, targets = _usual(batch, giver, path) if keys is None else _chosen(batch, keys, giver)
    layout = targets_layout = None
    if keys is not None and isinstance(inputs, (Mapping, tuple, list)):
        inputs, layout = in_rows(inputs, giver, path)
    if keys is not None and isinstance(targets, (Mapping, tuple, list)):
        targets, targets_layout = in_rows(targets, giver, path, what="target")
    for name, value in (("inputs", inputs), ("targets", targets)):
        if not isinstance(value, torch.Tensor):
            raise SubjectError(
                f"{giver}: {name} are {type(value).__name__}, not a tensor{_how(name, value)}", path=path
            )
    if inputs.dim() == 0 or targets.dim() == 0 or len(inputs) == 0 or len(inputs) != len(targets):
        shapes = f"inputs {tuple(inputs.shape)} and targets {tuple(targets.shape)}"
        raise SubjectError(f"{giver}: {shapes} are not a batch", path=path)
    pair = Pair((inputs, targets))
    pair.layout, pair.targets_layout = layout, targets_layout
    return pair


def _how(name: str, value: Any) -> str:
    """Return what to do about several inputs or targets."""
    if not isinstance(value, (Mapping, tuple, list)):
        return ""
    if not isinstance(value, Mapping) and value and all(isinstance(each, str) for each in value):
        return "; they are text: give the numbers of the classes" if name == "targets" else "; they are text"
    if name == "inputs":
        return "; to give several to the model, say where they are: `keys: {inputs: [left, right], targets: label}`"
    return (
        "; for several targets say where they are, `keys: {inputs: 0, targets: 1}`, and give a loss of your own, "
        "`train: {loss: package.module:callable}`"
    )


def _usual(batch: Any, giver: str, path: str) -> tuple[Any, Any]:
    """Return the first two entries of a tuple, or what the usual keys name."""
    if isinstance(batch, list) and len(batch) > 1 and all(isinstance(each, tuple) for each in batch):
        raise SubjectError(
            f"{giver} gave a list of {len(batch)} items, and a batch is a pair (inputs, targets); return a Dataset, or "
            "stack the items",
            path=path,
        )
    if hasattr(batch, "__next__"):
        raise SubjectError(f"{giver} gave an iterator, which can be read once; return its DataLoader", path=path)
    if isinstance(batch, (tuple, list)) and len(batch) >= 2:  # noqa: PLR2004 - entries after the pair are ignored
        return batch[0], batch[1]
    if named := dict(batch) if isinstance(batch, Mapping) else getattr(batch, "__dict__", None):
        inputs, targets = (_pick(named, keys, batch, giver, path) for keys in (INPUT_KEYS, TARGET_KEYS))
        return inputs, targets
    raise SubjectError(
        f"{giver} gave {type(batch).__name__}; a batch is a pair (inputs, targets), a mapping or a record",
        path=path,
    )


def _chosen(batch: Any, keys: Keys, giver: str) -> tuple[Any, Any]:
    """Return what the spec names."""
    entries = dict(batch) if isinstance(batch, Mapping) else getattr(batch, "__dict__", {})
    entries = dict(enumerate(batch)) if isinstance(batch, (tuple, list)) and not hasattr(batch, "_fields") else entries
    entries = batch._asdict() if hasattr(batch, "_asdict") else entries

    def entry(key: str | int) -> Any:
        if key in entries:
            return entries[key]
        known = ", ".join(map(str, entries)) or "nothing"
        raise SubjectError(f"{giver} gave {type(batch).__name__} without {key!r}; it has {known}", path="data.keys")

    def entries_of(wanted: Any) -> Any:
        if isinstance(wanted, list):
            return [entry(key) for key in wanted]
        return {name: entry(key) for name, key in wanted.items()} if isinstance(wanted, dict) else entry(wanted)

    return entries_of(keys.inputs), entries_of(keys.targets)


def _pick(named: Mapping[str, Any], keys: tuple[str, ...], batch: Any, giver: str, path: str) -> Any:
    for key in keys:
        if key in named:
            return named[key]
    kind = "a mapping with the keys" if isinstance(batch, Mapping) else f"{type(batch).__name__} with the attributes"
    raise SubjectError(
        f"{giver} gave {kind} {', '.join(map(str, named))}; one of {', '.join(keys)} is needed, or "
        "`keys: {inputs: ..., targets: ...}`",
        path=path,
    )
