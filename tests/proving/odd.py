"""A plugin whose faults and checks lead a search for checks astray."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.facts import Dataset, Splits
from retspec.faults import Fault, fault
from retspec.plugin import Check, Count, PositiveInt, check, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "RETSPEC_TEST_ODD"
"""The environment variable of a folder, in which a fault counts how often it was planted."""


def _without_last(dataset: Dataset, count: int = 1) -> Dataset:
    name, split = next(iter(dataset.splits.items()))
    return replace(dataset, splits={**dataset.splits, name: replace(split, examples=split.examples[:-count])})


@check(direction="at least", default_limit=18, shorthand="times", advice="List more.")
def listed(splits: Splits, *, times: PositiveInt = 1) -> Count:
    """How many files are listed?"""
    return splits.files * times


@check(direction="at least", advice="List more.")
def file_count(splits: Splits) -> Count:
    """How many files are listed?"""
    return splits.files


@check(direction="at most", default_limit=0, advice="Nothing helps.")
def always_red(splits: Splits) -> Count:
    """Is there no file at all?"""
    return splits.files


@check(direction="equal", advice="Split otherwise.")
def split_count(splits: Splits) -> Count:
    """How many splits are there?"""
    return len(splits.listed)


@fault(families="data", noticed_by="listed min_class_count")
def cut_short(dataset: Dataset) -> Dataset:
    """The last image is left out."""
    return _without_last(dataset)


@fault(families="data", noticed_by="file_count")
def much_lost(dataset: Dataset) -> Dataset:
    """The last ten images are left out."""
    return _without_last(dataset, 10)


@fault(families="data", noticed_by="file_count")
def one_lost(dataset: Dataset) -> Dataset:
    """The last image is left out."""
    return _without_last(dataset)


@fault(families="data", noticed_by="split_count")
def split_lost(dataset: Dataset) -> Dataset:
    """The second split is left out."""
    name, split = next(iter(dataset.splits.items()))
    return replace(dataset, splits={name: split})


_USELESS = "corrupt_images min_class_count always_red min_auroc max_subgroup_gap predictions_complete"


@fault(families="data", noticed_by=_USELESS)
def idle(dataset: Dataset) -> Dataset:
    """Nothing at all is done."""
    return dataset


@fault(families="data", noticed_by="min_class_count")
def fickle(dataset: Dataset) -> Dataset:
    """An image is left out, but not from the third time on."""
    count = Path(os.environ[FOLDER], "fickle")
    times = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(times))
    return _without_last(dataset) if times < 3 else dataset


@fault(families="data", noticed_by="")
def unknown(dataset: Dataset) -> Dataset:
    """Nobody knows a check for it."""
    return dataset


@fault(families="data", noticed_by="")
def meddling(dataset: Dataset) -> Iterator[Dataset]:
    """Somebody edits the spec meanwhile."""
    path = Path(os.environ[FOLDER], "gate.yaml")
    path.write_text(path.read_text() + "# meanwhile\n")
    yield dataset


@hookimpl
def retspec_checks() -> list[Check]:
    """Offer the checks."""
    return [listed, file_count, always_red, split_count]


@hookimpl
def retspec_faults() -> list[Fault]:
    """Offer the faults."""
    return [cut_short, much_lost, one_lost, split_lost, idle, fickle, unknown, meddling]
