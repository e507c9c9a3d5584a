"""The table of predictions that retspec writes: a row per image, a column per output of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean
from retspec.records import SPLIT_COLUMN
from retspec.subjects.data.tables.values import is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Dataset, Example

IMAGE, LABEL, GROUP, VALUE = "image", "label", "group", "value"
_TAKEN = (IMAGE, LABEL, SPLIT_COLUMN, GROUP)
_SUBGROUPS = "predictions.subgroups"
_PROBABILITY = "p_"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a table of predictions, apart from those that every one has."""

    kind: str = "classes"
    """What is predicted: `classes`, several `labels`, or the `values` of a regression."""
    classes: tuple[str, ...]
    """By number, the classes or the labels. The label of an image is one of the classes, whatever their names are."""
    subgroups: tuple[str, ...]
    has_groups: bool

    @staticmethod
    def of(
        dataset: Dataset, splits: Sequence[str], subgroups: Sequence[str], outputs: int, kind: str = "classes"
    ) -> Layout:
        """Return the layout of tables of some splits, the same for each.

        subgroups: the columns that the spec asks for; none for all that the data names. outputs: those of the model.

        Raises SubjectError for subgroups that the data does not have, for images without a group among others, and for
        labels that the model has no outputs for.
        """
        examples = [example for split in splits for example in dataset.splits[split].examples]
        chosen = tuple(subgroups) or dataset.subgroups
        _require_subgroups(chosen, dataset, (*_TAKEN, VALUE) if kind == "values" else _TAKEN)
        without = sum(example.group is None for example in examples)
        if 0 < without < len(examples):
            raise SubjectError(
                f"{without:,} of {len(examples):,} images have no group, and nobody knows which are of one patient; "
                "complete the column or the pattern of groups",
                path="data",
            )
        if kind != "values":
            _require_outputs(examples, outputs)
        return Layout(
            kind=kind,
            classes=() if kind == "values" else _class_columns(dataset, outputs, (*_TAKEN, *chosen), kind),
            subgroups=chosen,
            has_groups=bool(examples) and not without,
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of what the model gave."""
        if self.kind == "values":
            return (VALUE,)
        return self.classes if self.kind == "classes" else tuple(_PROBABILITY + name for name in self.classes)

    @property
    def keys(self) -> Mapping[str, Any]:
        """The keys of the section `predictions` that read such a table, apart from its file and its splits."""
        named: dict[str, Any] = {"id": IMAGE, "subgroups": [*self.subgroups]}
        named["group"] = GROUP if self.has_groups else None
        if self.kind == "values":
            return {**named, "label": LABEL, "values": VALUE}
        truth = {"label": LABEL} if self.kind == "classes" else {"labels": [*self.classes]}
        return {**named, **truth, "scores": [*self.outputs]}

    def columns(self, dataset: Dataset, split: str, outputs: NDArray[np.float64]) -> dict[str, list[Any]]:
        """Return the table of a split, by column. outputs: (images, outputs), in the order of its list."""
        places = {name: dataset.subgroups.index(name) for name in self.subgroups}
        examples = dataset.splits[split].examples
        if len(outputs) != len(examples):
            raise ValueError(f"{len(outputs)} predictions of {len(examples)} images")
        return {
            IMAGE: [example.file for example in examples],
            **self._truths(examples),
            SPLIT_COLUMN: [split] * len(examples),
            **({GROUP: [example.group for example in examples]} if self.has_groups else {}),
            **{name: [example.subgroups[place] for example in examples] for name, place in places.items()},
            **{name: column.tolist() for name, column in zip(self.outputs, outputs.T, strict=True)},
        }

    def _truths(self, examples: Sequence[Example]) -> dict[str, list[Any]]:
        """Return the columns of what is true, as `examples_of` has made sure that it is there."""
        if self.kind == "values":
            return {LABEL: [float(example.class_name) for example in examples]}
        if self.kind == "classes":
            return {LABEL: [self.classes[e.label] if isinstance(e.label, int) else "" for e in examples]}
        labels = [example.label if isinstance(example.label, tuple) else () for example in examples]
        return {name: [label[place] for label in labels] for place, name in enumerate(self.classes)}


def _require_subgroups(chosen: Sequence[str], dataset: Dataset, taken: Sequence[str]) -> None:
    for name in chosen:
        if name not in dataset.subgroups:
            there = ", ".join(map(repr, dataset.subgroups)) or "none; name them as `data.csv.subgroup_columns`"
            near = did_you_mean(name, dataset.subgroups)
            raise SubjectError(f"the data has no column of subgroups {name!r}{near}; it has {there}", path=_SUBGROUPS)
        if name in taken:
            raise SubjectError(f"{name!r} is a column that retspec writes itself; rename that of the data", path="data")


def _require_outputs(examples: Sequence[Example], outputs: int) -> None:
    """Raise SubjectError for a label that the model has no output for, and for labels of another number."""
    for example in examples:
        label = example.label
        if isinstance(label, int) and label >= outputs:
            raise SubjectError(
                f"{example.file} has the label {label}, and the model has {outputs} classes, numbered from 0; "
                "`labels_out_of_range` lists all such files",
                path="data",
            )
        if isinstance(label, tuple) and len(label) != outputs:
            raise SubjectError(
                f"{example.file} has {len(label)} labels, and the model has {outputs} outputs; each label needs one",
                path="data",
            )


def _class_columns(dataset: Dataset, classes: int, taken: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return the name of each class, or `class_3` for one without a name that a column can have."""
    numbers: dict[int, str] = {}
    for split in dataset.splits.values():
        for name, number in split.classes.items():
            numbers.setdefault(number, name)
    named = [numbers.get(number, "") for number in range(classes)]
    beside = [_PROBABILITY + name for name in named] if kind == "labels" else []
    seen = [name.strip().casefold() for name in (*named, *beside, *taken)]
    word = "label" if kind == "labels" else "class"

    def is_free(name: str) -> bool:
        columns = (name, _PROBABILITY + name) if beside else (name,)
        return not is_missing(name) and all(seen.count(each.strip().casefold()) == 1 for each in columns)

    return tuple(name if is_free(name) else f"{word}_{number}" for number, name in enumerate(named))
