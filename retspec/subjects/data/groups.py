"""What must not be in two splits, such as the patient: in one spelling, and by a pattern of the spec."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.errors import SubjectError
from retspec.subjects.data.tables.values import is_missing

if TYPE_CHECKING:
    from retspec.facts import Dataset
    from retspec.records import Grouping

PATH = "data.group.pattern"
_WHOLE = re.compile(r"([-+]?)0*(\d+)(\.0*)?")
_NUMBERED = re.compile(r"([^\W\d]+[-_ ]?)0*(\d+)")
"""A word and a number, as in `P007` and `sub-07`."""


def same_group(text: str) -> str | None:
    """Return the name of a group in the spelling that all tables share, or None for none.

    11 for 11.0 and 011, `p7` for `P007`, and neither case nor further blanks count.
    """
    bare = " ".join(text.split())
    if is_missing(bare):
        return None
    if found := _WHOLE.fullmatch(bare):
        return f"{found[1].replace('+', '')}{found[2]}"
    numbered = _NUMBERED.fullmatch(bare)
    return (f"{numbered[1]}{numbered[2]}" if numbered else bare).casefold()


def with_groups(dataset: Dataset, grouping: Grouping | None) -> Dataset:
    """Return a dataset whose examples belong to what the pattern finds in their files; as it is without one.

    Raises SubjectError for a pattern that is no regular expression, or that matches no file.
    """
    if grouping is None:
        return dataset
    try:
        pattern = re.compile(grouping.pattern)
    except re.error as error:
        raise SubjectError(f"{grouping.pattern!r} is no regular expression: {error}", path=PATH) from error
    splits = {
        name: replace(split, examples=tuple(replace(each, group=_group(each.file, pattern)) for each in split.examples))
        for name, split in dataset.splits.items()
    }
    examples = [example for split in splits.values() for example in split.examples]
    without = [example.file for example in examples if example.group is None]
    if examples and len(without) == len(examples):
        raise SubjectError(f"{grouping.pattern!r} matches none of {len(examples):,} files, as {without[0]}", path=PATH)
    note = f"{len(without):,} of {len(examples):,} files do not match `group`, as {without[0]}." if without else ""
    return replace(dataset, splits=splits, notes=(*dataset.notes, *filter(None, [note])))


def _group(file: str, pattern: re.Pattern[str]) -> str | None:
    path = PurePath(file)
    found = pattern.search(path.as_posix() if "/" in pattern.pattern else path.name)
    if found is None:
        return None
    return same_group(next((part for part in found.groups() if part), found[0]))
