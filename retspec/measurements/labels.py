"""The measurement `labels`: labels that the model has no output for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError
from retspec.facts import MOST_NAMED, Labels, OutsideLabel
from retspec.plugin import Cost, measurement
from retspec.records import PositiveInt, TaskName
from retspec.subjects.models.structure import input_size
from retspec.text.wording import listing

if TYPE_CHECKING:
    from retspec.facts import Dataset
    from retspec.subjects.models.skeleton import Skeleton


_NUMBERED = frozenset({None, "classification", "ordinal", "custom"})
"""Tasks whose labels are class numbers, or may be."""


@measurement(cost=Cost.STATIC, needs_torch=False)
def labels(
    dataset: Dataset,
    optional_skeleton: Skeleton | None,
    *,
    task: TaskName | None,
    num_classes: Annotated[PositiveInt, Meta(description="By default the width of the model's output.")] | None = None,
) -> Labels:
    """Compare every label of every split with the number of classes, seen in a forward pass on fake tensors.

    Raises SubjectError when neither the model nor `num_classes` gives the number of classes, and Inconclusive for a
    task whose labels are no class numbers.
    """
    if task not in _NUMBERED and not any(isinstance(each.label, tuple) for each in dataset.first.examples):
        raise Inconclusive(f"the labels of the task {task} are no class numbers, so that none is out of their range")
    if task == "ordinal" and num_classes is None:
        raise Inconclusive("the outputs may be grades or thresholds between them; give `with: {num_classes: 5}`")
    classes = num_classes or classes_of(optional_skeleton)
    labelled = [split for split in dataset.splits.values() if split.has_labels]
    if not any(split.examples for split in labelled):
        raise Inconclusive("no split has labels; name their column: `label_column`")
    outside = [
        OutsideLabel(each.file, each.class_name or "no label", split.place(each))
        for split in labelled
        for each in split.examples
        if not _has_outputs(each.label, classes)
    ]
    used = _used({each.label for split in labelled for each in split.examples})
    unused = tuple(number for number in range(classes) if number not in used)
    absent = listing([f"class {number}" for number in unused])
    return Labels(
        classes,
        len(outside),
        tuple(outside[:MOST_NAMED]),
        unused,
        (f"no image of any split has the label of {absent}, of {classes} classes.",) if unused else (),
        tuple(name for name, split in dataset.splits.items() if not split.has_labels),
    )


def _has_outputs(label: int | tuple[int, ...] | None, classes: int) -> bool:
    """Whether a model with so many outputs has one for a label; for several columns, as many as there are."""
    if isinstance(label, tuple):
        return len(label) == classes
    return label is not None and 0 <= label < classes


def _used(labels: set[int | tuple[int, ...] | None]) -> set[int | None]:
    """Return the class numbers that occur."""
    several = {index for label in labels if isinstance(label, tuple) for index, value in enumerate(label) if value}
    return several | {label for label in labels if not isinstance(label, tuple)}


def classes_of(skeleton: Skeleton | None) -> int:
    """Return dimension 1 of the model's output, at least 2; raises SubjectError where no model gives it."""
    size = None if skeleton is None else input_size(skeleton.module)
    if skeleton is None or size is None:
        raise SubjectError("no model reports the number of classes; give it: `with: {num_classes: 5}`", path="checks")
    outputs = skeleton.trace((1, *size)).output_shape
    return max(outputs[1] if len(outputs) > 1 else 1, 2)  # one logit distinguishes two classes
