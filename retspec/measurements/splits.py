"""The measurement `splits`: the classes, files and groups that a dataset lists."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from retspec.facts import SharedGroup, Splits
from retspec.plugin import Cost, measurement
from retspec.subjects.data.groups import eye_pairs
from retspec.subjects.data.names import near_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Dataset, Split


@measurement(cost=Cost.STATIC, needs_torch=False)
def splits(dataset: Dataset) -> Splits:
    """Count the examples of each class in each split, and find missing files, without opening any file."""
    classes = list(dict.fromkeys(name for split in dataset.splits.values() for name in split.classes))
    missing = tuple(dict.fromkeys(_missing(dataset)))
    return Splits(
        counts={name: _counts(split, classes) for name, split in dataset.splits.items()},
        classes={name: dict(split.classes) for name, split in dataset.splits.items()},
        listed={name: len(split.examples) for name, split in dataset.splits.items()},
        files=len({example.file for split in dataset.splits.values() for example in split.examples}),
        missing=missing,
        near=near_names(dataset, missing),
        shared_groups=tuple(_shared_groups(dataset)),
        has_groups=any(example.group for split in dataset.splits.values() for example in split.examples),
        eyes=tuple(pair for pair in eye_pairs(dataset) if len(set(pair.splits)) > 1),
        notes=dataset.notes,
    )


def _counts(split: Split, classes: Sequence[str]) -> dict[str, int]:
    """Return class name to number of examples; examples without a label are not counted."""
    numbers = Counter(example.class_name for example in split.examples)
    return {name: numbers[name] for name in classes}


def _missing(dataset: Dataset) -> Iterator[str]:
    for split in dataset.splits.values():
        yield from (example.file for example in split.examples if not dataset.path(example).is_file())


def _shared_groups(dataset: Dataset) -> Iterator[SharedGroup]:
    seen: dict[str, dict[str, None]] = defaultdict(dict)
    for name, split in dataset.splits.items():
        for example in split.examples:
            if example.group:
                seen[example.group][name] = None
    for group, names in seen.items():
        if len(names) > 1:
            yield SharedGroup(group, tuple(names))
