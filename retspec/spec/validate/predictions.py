"""What a schema cannot say about the section `predictions`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retspec.errors import did_you_mean
from retspec.records.predictions import FORMATS, ID, MADE, OUTPUTS, READ_KEYS, WRITTEN
from retspec.spec.validate.context import Finding
from retspec.spec.validate.prediction_kinds import broken_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retspec.records import Criterion, Data, PredictionFiles

_SECTION = "predictions"


def broken_predictions(section: PredictionFiles) -> Iterator[Finding]:
    """Yield what is wrong with a section whose keys have the right types."""
    yield from _one_of(section, (*FORMATS, MADE), "file", "give one as csv, parquet, jsonl or npz")
    if section.make is None:
        if section.id is None:
            yield Finding((_SECTION,), f"predictions needs the key 'id': {ID}", on_key=True)
        yield from _one_of(section, OUTPUTS, "output", "give the columns as `scores` (probabilities) or `logits`")
        yield from broken_kind(section)
    else:
        yield from _broken_making(section)
    for key, columns in (("scores", section.outputs), ("logits", section.outputs), ("subgroups", section.subgroups)):
        given = getattr(section, key)
        if given is not None and not columns and key != "subgroups":
            yield Finding((_SECTION, key), f"predictions.{key} names no column")
        twice = sorted({name for name in columns if [*columns].count(name) > 1}) if given else []
        if twice:
            yield Finding((_SECTION, key), f"predictions.{key} names the column {twice[0]!r} twice; keep one")
    if section.format:
        yield from _broken_splits(section)


def broken_maker(section: PredictionFiles, *, has_model: bool, has_files: bool) -> Iterator[Finding]:
    """Yield what a spec lacks whose predictions retspec makes."""
    if section.make is None:
        return
    if not has_model:
        message = "predictions.make lets the model predict, and the spec has no section `model`; add it"
        yield Finding((_SECTION, MADE), message, on_key=True)
    if not has_files:
        message = "predictions.make needs data that knows its files; use `imagefolder`, `csv` or `loaders` under `data`"
        yield Finding((_SECTION, MADE), message, on_key=True)


def useless_beside_loaders(data: Data, section: PredictionFiles | None) -> Iterator[Finding]:
    """Yield keys of loaders that only predictions of them need."""
    for key in ("group", "classes") if section is None or section.make is None else ():
        if getattr(data, key) is not None:
            message = f"data.{key} says nothing beside loaders unless the model predicts them; remove it, or add"
            yield Finding(("data", key), f"{message} `predictions: {{make: ...}}`", on_key=True)


def _broken_making(section: PredictionFiles) -> Iterator[Finding]:
    """Yield what says nothing beside files that retspec writes, and a file that it does not write."""
    for key in READ_KEYS:
        if getattr(section, key) is not None:
            message = f"predictions.{key} names columns of a file, and retspec names those that it makes; remove it"
            yield Finding((_SECTION, key), message, on_key=True)
    if isinstance(section.make, str) and section.split is None:
        message = "predictions does not say which split the model predicts; add `split:`, such as test"
        yield Finding((_SECTION,), message, on_key=True)
    seen: dict[str, str] = {}
    for split, file in section.made.items():
        other = seen.setdefault(os.path.normpath(file), split)
        if other != split:
            message = f"predictions.make names {file} for {other} and for {split}; give each split its own file"
            yield Finding((_SECTION, MADE, split), message)
        if not file.endswith(WRITTEN):
            place = (_SECTION, MADE) if isinstance(section.make, str) else (_SECTION, MADE, split)
            yield Finding(place, f"{file} is no table by its name; let it end in .csv, .jsonl or .parquet")


def broken_thresholds(criteria: Iterable[Criterion], section: PredictionFiles) -> Iterator[Finding]:
    """Yield what is wrong with the splits that criteria choose their thresholds on."""
    for criterion in criteria if section.format else ():
        yield from _broken_threshold(criterion, section)


def _broken_threshold(criterion: Criterion, section: PredictionFiles) -> Iterator[Finding]:
    """Yield a threshold from the split that is judged, where it looks too good, or from one that no file is for."""
    split = criterion.arguments.get("threshold_from")
    if split is None or criterion.skip is not None:
        return
    place = ("checks", criterion.id, "with", "threshold_from")
    if split == section.split:
        message = f"{criterion.id}: the threshold is chosen on {split!r}, the split that is judged; name another split"
        yield Finding(place, message)
    elif section.split is None:
        message = f"{criterion.id}: the threshold is from a split, and predictions has none; add `split:`"
        yield Finding(place, message)
    elif "" not in section.files and split not in section.files:
        near = did_you_mean(split, section.files)
        yield Finding(
            place, f"{criterion.id}: no file is for the split {split!r}; there are {', '.join(section.files)}{near}"
        )


def _one_of(section: PredictionFiles, keys: Sequence[str], what: str, remedy: str) -> Iterator[Finding]:
    given = [key for key in keys if getattr(section, key) is not None]
    if not given:
        yield Finding((_SECTION,), f"predictions names no {what}; {remedy}", on_key=True)
    if len(given) > 1:
        message = f"predictions names two {what}s, {given[0]} and {given[1]}; keep one"
        yield Finding((_SECTION, given[1]), message, on_key=True)


def _broken_splits(section: PredictionFiles) -> Iterator[Finding]:
    """Yield a split that no file is for, and a column of splits that nothing reads."""
    files = section.files
    if "" in files:
        if section.split_column is not None and section.split is None:
            message = "predictions.split_column says nothing without the split to judge; add `split:`"
            yield Finding((_SECTION, "split_column"), message, on_key=True)
        return
    if not files:
        yield Finding((_SECTION, section.format), f"predictions.{section.format} is empty; name a file")
    elif section.split_column is not None:
        message = "predictions.split_column goes with a single file, and each split has its own; remove one of them"
        yield Finding((_SECTION, "split_column"), message, on_key=True)
    elif section.split is None:
        listed = ", ".join(files)
        message = f"predictions does not say which split is judged; add `split:`, one of {listed}"
        yield Finding((_SECTION,), message, on_key=True)
    elif section.split not in files:
        near = did_you_mean(section.split, files)
        message = f"predictions.{section.format} has no file for the split {section.split!r}; it has {', '.join(files)}"
        yield Finding((_SECTION, "split"), f"{message}{near}")
