"""The measurement `splits`: the classes, files and groups that a dataset lists."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from retspec.facts import MOST_NAMED, SharedGroup, Splits
from retspec.plugin import Cost, measurement
from retspec.subjects.data.folders import Folders
from retspec.subjects.data.names import near_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Dataset, Split


@measurement(cost=Cost.STATIC, needs_torch=False)
def splits(dataset: Dataset) -> Splits:
    """Count the examples of each class in each split, and find missing files, without opening any file."""
    classes = list(dict.fromkeys(name for split in dataset.splits.values() for name in split.classes))
    files = dataset.distinct_files()
    by_themselves = [file for file in files if file not in dataset.stored] if dataset.stored else files
    folders = Folders(dataset.folder)
    missing = folders.absent(by_themselves)
    return Splits(
        counts={name: _counts(split, classes) if split.has_labels else {} for name, split in dataset.splits.items()},
        classes={name: dict(split.classes) for name, split in dataset.splits.items() if split.has_labels},
        listed={name: len(split.examples) for name, split in dataset.splits.items()},
        files=len(files),
        absent=len(missing),
        missing=tuple(missing[:MOST_NAMED]),
        near=near_names(dataset, missing[:MOST_NAMED], folders),
        shared_groups=tuple(_shared_groups(dataset)),
        has_groups=any(example.group for split in dataset.splits.values() for example in split.examples),
        eyes=dataset.eyes,
        notes=dataset.notes,
        unlabelled=tuple(name for name, split in dataset.splits.items() if not split.has_labels),
    )


def _counts(split: Split, classes: Sequence[str]) -> dict[str, int]:
    """Return class name to number of examples; examples without a label are not counted.

    With several label columns an example counts for each class that it has.
    """
    numbers = Counter(example.class_name for example in split.examples if not isinstance(example.label, tuple))
    several = Counter(example.label for example in split.examples if isinstance(example.label, tuple))
    if several:
        return {name: sum(n for label, n in several.items() if label[at]) for name, at in split.classes.items()}
    return {name: numbers[name] for name in classes}


def _shared_groups(dataset: Dataset) -> Iterator[SharedGroup]:
    seen: dict[str, dict[str, None]] = defaultdict(dict)
    for name, split in dataset.splits.items():
        for example in split.examples:
            if example.group:
                seen[example.group][name] = None
    for group, names in seen.items():
        if len(names) > 1:
            yield SharedGroup(group, tuple(names))
