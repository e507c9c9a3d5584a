"""The table of predictions that retspec writes: a row per image, a column of probabilities per class."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, did_you_mean
from retspec.records import SPLIT_COLUMN
from retspec.subjects.data.tables.values import is_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Dataset, Example

IMAGE, LABEL, GROUP = "image", "label", "group"
_TAKEN = (IMAGE, LABEL, SPLIT_COLUMN, GROUP)
_SUBGROUPS = "predictions.subgroups"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a table of predictions, apart from those that every one has."""

    classes: tuple[str, ...]
    """By class number. The label of an image is one of them, so that it means the same whatever their names are."""
    subgroups: tuple[str, ...]
    has_groups: bool

    @staticmethod
    def of(dataset: Dataset, splits: Sequence[str], subgroups: Sequence[str], classes: int) -> Layout:
        """Return the layout of tables of some splits, the same for each.

        subgroups: the columns that the spec asks for; none for all that the data names. classes: outputs of the model.

        Raises SubjectError for subgroups that the data does not have, and for images without a group among others.
        """
        examples = [example for split in splits for example in dataset.splits[split].examples]
        chosen = tuple(subgroups) or dataset.subgroups
        _require_subgroups(chosen, dataset)
        without = sum(example.group is None for example in examples)
        if 0 < without < len(examples):
            raise SubjectError(
                f"{without:,} of {len(examples):,} images have no group, and nobody knows which are of one patient; "
                "complete the column or the pattern of groups",
                path="data",
            )
        strange = next((each for each in examples if isinstance(each.label, int) and each.label >= classes), None)
        if strange is not None:
            raise SubjectError(
                f"{strange.file} has the label {strange.label}, and the model has {classes} classes, numbered from 0; "
                "`labels_out_of_range` lists all such files",
                path="data",
            )
        return Layout(
            classes=_class_columns(dataset, classes, (*_TAKEN, *chosen)),
            subgroups=chosen,
            has_groups=bool(examples) and not without,
        )

    def text(self, dataset: Dataset, split: str, scores: NDArray[np.float64]) -> str:
        """Return the table of a split as CSV. scores: (images, classes), in the order of its list."""
        places = [dataset.subgroups.index(name) for name in self.subgroups]
        stream = io.StringIO()
        table = csv.writer(stream, lineterminator="\n")
        group = (GROUP,) if self.has_groups else ()
        table.writerow((IMAGE, LABEL, SPLIT_COLUMN, *group, *self.subgroups, *self.classes))
        for example, row in zip(dataset.splits[split].examples, scores, strict=True):
            own = (example.group,) if self.has_groups else ()
            values = (example.subgroups[place] for place in places)
            # repr: the shortest text that is read as the same number
            table.writerow((example.file, self._label(example), split, *own, *values, *map(repr, row.tolist())))
        return stream.getvalue()

    def _label(self, example: Example) -> str:
        return self.classes[example.label] if isinstance(example.label, int) else ""


def _require_subgroups(chosen: Sequence[str], dataset: Dataset) -> None:
    for name in chosen:
        if name not in dataset.subgroups:
            there = ", ".join(map(repr, dataset.subgroups)) or "none; name them as `data.csv.subgroup_columns`"
            near = did_you_mean(name, dataset.subgroups)
            raise SubjectError(f"the data has no column of subgroups {name!r}{near}; it has {there}", path=_SUBGROUPS)
        if name in _TAKEN:
            raise SubjectError(f"{name!r} is a column that retspec writes itself; rename that of the data", path="data")


def _class_columns(dataset: Dataset, classes: int, taken: Sequence[str]) -> tuple[str, ...]:
    """Return the name of each class, or `class_3` for one without a name that a column can have."""
    numbers: dict[int, str] = {}
    for split in dataset.splits.values():
        for name, number in split.classes.items():
            numbers.setdefault(number, name)
    named = [numbers.get(number, "") for number in range(classes)]
    seen = [name.strip().casefold() for name in (*named, *taken)]
    return tuple(
        f"class_{number}" if is_missing(name) or seen.count(name.strip().casefold()) > 1 else name
        for number, name in enumerate(named)
    )
