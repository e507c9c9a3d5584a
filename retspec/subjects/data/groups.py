"""What must not be in two splits, such as the patient: by a pattern of the spec, and by names that look like it."""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from retspec.errors import SubjectError
from retspec.facts import Dataset, EyePair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.facts import Example
    from retspec.records import Grouping

PATH = "data.group.pattern"
_EYE = re.compile(r"(?:(?<=[_\-. ])|^)(left|right|od|os|l|r)(?=[_\-. ]|$)", re.IGNORECASE)
"""A word for an eye between separators; OD and OS are oculus dexter and sinister, right and left."""
_OTHER = {"left": "right", "right": "left", "od": "os", "os": "od", "l": "r", "r": "l"}
_WHOLE = re.compile(r"([-+]?)0*(\d+)(\.0*)?")


def same_group(text: str) -> str | None:
    """Return the name of a group in the spelling that all tables share: 11 for 11.0 and 011; None for none."""
    found = _WHOLE.fullmatch(text.strip())
    return f"{found[1].replace('+', '')}{found[2]}" if found else text.strip() or None


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


def eye_pairs(dataset: Dataset) -> Iterator[EyePair]:
    """Yield pairs of files in two splits that are named like the two eyes of one patient: `10_left`, `10_right`."""
    return (_pair(*pair) for pair in _alike(dataset) if pair[0].split != pair[1].split)


class _Eye(NamedTuple):
    """A file that is named like an eye, and its name without the word for it."""

    file: str
    split: str
    word: str
    rest: str
    example: Example


def _alike(dataset: Dataset) -> Iterator[tuple[_Eye, _Eye]]:
    """Yield all pairs of eyes without a group that no example has both of."""
    named: dict[tuple[str, str], _Eye] = {}
    for split, file, example in dataset.files():
        stem = "" if example.group else os.path.splitext(file.rpartition("/")[2])[0]  # noqa: PTH122 - fast
        found = _EYE.search(stem)
        if found is None:
            continue
        word = found[0].lower()
        eye = _Eye(file, split, found[0], f"{stem[: found.start()]}*{stem[found.end() :]}", example)
        other = named.get((eye.rest, _OTHER[word]))
        if other is not None and other.example is not example:
            yield other, eye
        named.setdefault((eye.rest, word), eye)


def _pair(first: _Eye, second: _Eye) -> EyePair:
    pattern = _pattern(first.rest, first.word, second.word)
    return EyePair(first.file, second.file, (first.split, second.split), pattern)


def _pattern(rest: str, *eyes: str) -> str:
    """Return a pattern whose first parentheses match what the names of both eyes share."""
    either = "|".join(sorted(eyes))
    before, _, after = rest.partition("*")
    if before:
        return f"(.+){re.escape(before[-1])}({either})"
    return f"^(?:{either}){re.escape(after[:1])}(.+)"


def eye_notes(dataset: Dataset) -> Iterator[str]:
    """Yield a note when files are named like two eyes of one patient, and no group is given."""
    pairs = [*_alike(dataset)]
    if not pairs:
        return
    across = sum(one.split != other.split for one, other in pairs)
    first = _pair(*pairs[0])
    counted = f"{len(pairs):,} such pairs" + (f", {across:,} of them in two splits" if across else "")
    yield (
        f"{first.first} and {first.second} are named like two eyes of one patient ({counted}), and no group is given; "
        f"say `group: {{pattern: '{first.pattern}'}}` under `data`."
    )
