"""Where made predictions get images and what is true of them: files that the data lists, or the user's loaders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Dataset, Example, Split
from retspec.subjects.data.groups import same_group
from retspec.subjects.data.item_files import ListedFiles
from retspec.subjects.data.ordered import examples_of
from retspec.subjects.data.pairs import pair_of
from retspec.subjects.data.user_loaders import PATH
from retspec.subjects.predictions.named_items import GROUP_KEYS, ID_KEYS, names_of, shortened, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from retspec.subjects.data.building import DataBuilder
    from retspec.subjects.data.pairs import Pair
    from retspec.subjects.data.user_loaders import UserLoader


class Splits(Protocol):
    """Splits whose images can be predicted, each once."""

    def require(self, split: str, place: str) -> None:
        """Raise SubjectError for a split that is not there, or that nothing can be predicted of."""

    def steps(self, split: str) -> int:
        """Return the batches of a split; 0 where that is not known."""

    def batches(self, split: str) -> Iterator[Pair]:
        """Yield all images of a split as batches (inputs, targets), each once."""

    def dataset(self) -> Dataset:
        """Return the images and what is true of them; of loaders, of those that were read."""


class FileSplits:
    """Splits of a source that lists its files. kind: what is true of them, as in `examples_of`."""

    def __init__(self, data: DataBuilder, kind: str) -> None:
        self._data, self._kind = data, kind

    def require(self, split: str, place: str) -> None:
        """Raise SubjectError for a split that is not there, and for labels of another kind."""
        examples_of(self._data.dataset, split, place, self._kind)

    def steps(self, split: str) -> int:
        """Return the batches of a split."""
        return -(-len(self._data.dataset.splits[split].examples) // self._data.batch_size)

    def batches(self, split: str) -> Iterator[Pair]:
        """Yield all images of a split in the order of its list."""
        return self._data.in_order(split)

    def dataset(self) -> Dataset:
        """Return the files as the source lists them."""
        return self._data.dataset


@dataclass
class _Rows:
    """What was read of one loader."""

    names: list[str] = field(default_factory=list)
    truths: list[tuple[int | tuple[int, ...] | None, str]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    subgroups: dict[str, list[str]] = field(default_factory=dict)

    def is_whole(self, cells: Sequence[str]) -> bool:
        """Whether each image has one of these."""
        return len(cells) == len(self.names)

    def examples(self, names: Sequence[str], subgroups: Sequence[str]) -> tuple[Example, ...]:
        """Return the images by their names, with the values of some columns of subgroups."""
        groups: Sequence[str | None] = [*map(same_group, self.groups)] if self.groups else [None] * len(names)
        values = [*zip(*(self.subgroups[each] for each in subgroups), strict=True)] or [()] * len(names)
        return tuple(
            Example(name, label, text, group=group, subgroups=own)
            for name, (label, text), group, own in zip(names, self.truths, groups, values, strict=True)
        )


class LoaderSplits:
    """Splits that are loaders of the user's training, `train` and `val`.

    subgroups: the keys of a batch that have them. classes: the names of several labels, as the spec gives them.
    Patients are those of the batch, or of the pattern `data.group`.
    """

    def __init__(self, data: DataBuilder, kind: str, subgroups: Sequence[str], classes: Any) -> None:
        self._data, self._kind, self._subgroups = data, kind, subgroups
        named = classes if kind == "labels" and isinstance(classes, (list, tuple)) else ()
        self._classes = {name: number for number, name in enumerate(named)}
        self._rows: dict[str, _Rows] = {}

    def require(self, split: str, place: str) -> None:
        """Raise SubjectError for a split that no loader is for."""
        loaders = {each.name for each in self._data.loaders.every}
        if split not in loaders:
            near, there = did_you_mean(split, loaders), " and ".join(map(repr, sorted(loaders)))
            message = f"no loader is of the split {split!r}{near}; there are {there}: name the loader as `{PATH}.val`"
            raise SubjectError(message, path=place)

    def steps(self, split: str) -> int:
        """Return the batches of a loader; 0 where it does not say."""
        return self._loader(split).steps

    def batches(self, split: str) -> Iterator[Pair]:
        """Yield each sample of a loader once, as its dataset reads and its `collate_fn` collates it.

        Raises SubjectError for images without a name, or with one that another has.
        """
        loader, rows = self._loader(split), _Rows()
        listed = ListedFiles(loader.items.dataset) if loader.has_items else None
        for keys, batch in loader.once():
            pair = pair_of(batch, f"the loader `{split}`", path=loader.path, keys=loader.keys_in)
            size = len(pair[0])
            names = names_of(batch, keys, listed, size)
            if names is None or (keys and len(keys) != size):
                raise SubjectError(_nameless(split), path=loader.path)
            rows.names += names
            rows.truths += _truths(pair[1], self._kind, f"the loader `{split}`", loader.path)
            rows.groups += texts_of(batch, GROUP_KEYS, size) or []
            for column in self._subgroups:
                rows.subgroups.setdefault(column, []).extend(texts_of(batch, [column], size) or [])
            self._data.noted(pair)
            yield pair
        _require_once(rows, split, loader.path)
        self._rows[split] = rows

    def dataset(self) -> Dataset:
        """Return what was read, with the groups and the classes that the spec gives."""
        names = shortened({split: rows.names for split, rows in self._rows.items()})
        every = self._rows.values()
        columns = tuple(name for name in self._subgroups if all(rows.is_whole(rows.subgroups[name]) for rows in every))
        splits = {
            split: Split(rows.examples(names[split], columns), self._classes) for split, rows in self._rows.items()
        }
        return self._data.described(Dataset("", splits, subgroups=columns))

    def _loader(self, split: str) -> UserLoader:
        return next(each for each in self._data.loaders.every if each.name == split)


def _truths(targets: Tensor, kind: str, giver: str, path: str) -> list[tuple[int | tuple[int, ...] | None, str]]:
    """Return the label and the class name of each example, by the targets of a batch.

    Raises SubjectError for targets that are not what `kind` asks for.
    """
    shape = tuple(targets.shape)
    wanted = {
        "classes": "a class number for each image, of shape (images,)",
        "labels": "0 or 1 for each label, of shape (images, labels); if there is one class for each, leave out `task`",
        "values": "one finite number for each image, of shape (images,)",
    }
    if kind == "labels":
        if targets.dim() == 2 and bool(((targets == 0) | (targets == 1)).all()):  # noqa: PLR2004 - images, labels
            return [(tuple(map(int, row)), "") for row in targets.tolist()]
    elif targets.dim() == 1 or (targets.dim() == 2 and shape[1] == 1):  # noqa: PLR2004 - a column
        values = targets.reshape(-1).tolist()
        if kind == "values" and bool(targets.isfinite().all()):
            return [(None, repr(float(value))) for value in values]
        if kind == "classes" and all(value >= 0 and value % 1 == 0 for value in values):
            return [(int(value), str(int(value))) for value in values]
    raise SubjectError(f"{giver} gives targets of shape {shape}, and predictions need {wanted[kind]}", path=path)


def _nameless(split: str) -> str:
    return (
        f"nobody knows which images the loader `{split}` gives, and each prediction needs the name of its image: its "
        f"dataset lists no file for each item, and no batch has a key such as {', '.join(map(repr, ID_KEYS[:4]))}; "
        "return the names, as in {'image': ..., 'label': ..., 'id': ...}"
    )


def _require_once(rows: _Rows, split: str, path: str) -> None:
    """Raise SubjectError where two images have one name, or some lack a patient."""
    if twice := len(rows.names) - len(set(rows.names)):
        name = next(name for name, number in Counter(rows.names).items() if number > 1)
        message = f"the loader `{split}`: {twice:,} of {len(rows.names):,} images have the name of another, {name!r}"
        raise SubjectError(f"{message} the first; each needs its own", path=path)
    if rows.groups and not rows.is_whole(rows.groups):
        message = f"the loader `{split}`: only {len(rows.groups):,} of {len(rows.names):,} images have a patient"
        raise SubjectError(message, path=path)
