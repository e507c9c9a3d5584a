"""Files that are named like the two eyes of one patient: `10_left` and `10_right`, `RET002OD` and `RET002OS`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from retspec.facts import Dataset, EyePair, Eyes

if TYPE_CHECKING:
    from collections.abc import Iterator

_EYE = re.compile(r"(?:(?<=[_\-. \d])|^)(left|right|od|os|re|le|l|r)(?=[_\-. ]|eye|$)", re.IGNORECASE)
"""A word for an eye behind a separator or a digit; OD and OS are oculus dexter and sinister, right and left."""
_OTHER = {"left": "right", "right": "left", "od": "os", "os": "od", "re": "le", "le": "re", "l": "r", "r": "l"}


class _Eye(NamedTuple):
    """A file that is named like an eye."""

    file: str
    split: str
    word: str
    before: str
    after: str
    owner: int
    """The identity of its example."""


def eyes_of(dataset: Dataset) -> Eyes | None:
    """Return which files without a group are named like two eyes of one patient; None where none are.

    Both eyes of one example are no pair. A file whose name is the word alone, `P7/left.png`, goes by its folder.
    """
    named: dict[str, tuple[str, str, str, str, str, int]] = {}  # plain tuples: there may be half a million
    pairs = across = 0
    first: tuple[_Eye, _Eye] | None = None
    for eye in _eyes(dataset):
        _, split, word, before, after, owner = eye
        rest, this = f"{before}*{after}/", word.lower()
        named.setdefault(rest + this, eye)
        other = named.get(rest + _OTHER[this])
        if other is None or other[-1] == owner:
            continue
        pairs += 1
        is_across = other[1] != split
        if first is None or (is_across and not across):
            first = _Eye(*other), _Eye(*eye)
        across += is_across
    return None if first is None else Eyes(pairs, across, _pair(*first))


def _eyes(dataset: Dataset) -> Iterator[tuple[str, str, str, str, str, int]]:
    """Yield the files without a group that are named like an eye, with the fields of `_Eye`."""
    search = _EYE.search
    for split, file, example in dataset.files():
        if example.group:
            continue
        folder, _, name = file.rpartition("/")
        stem = name.rpartition(".")[0] or name
        found = search(stem)
        if found is None:
            continue
        start, end = found.span(1)
        before, after = stem[:start], stem[end:]
        if not before and not after:
            before = f"{folder.rpartition('/')[2]}/"
        yield file, split, stem[start:end], before, after, id(example)


def _pair(first: _Eye, second: _Eye) -> EyePair:
    return EyePair(first.file, second.file, (first.split, second.split), _pattern(first, second))


def _pattern(first: _Eye, second: _Eye) -> str:
    """Return a pattern whose first parentheses match what the names of both eyes share."""
    either = "|".join(sorted((first.word, second.word)))
    last = first.before[-1:]
    if not last:
        return f"^(?:{either}){re.escape(first.after[:1])}(.+)"
    if last == "/":
        return f"([^/]+)/({either})"
    return rf"(.*\d)({either})" if last.isdigit() else f"(.+){re.escape(last)}({either})"


def eye_notes(eyes: Eyes | None) -> Iterator[str]:
    """Yield a note when files are named like two eyes of one patient, and no group is given."""
    if eyes is None:
        return
    counted = f"{eyes.pairs:,} such pairs" + (f", {eyes.across:,} of them in two splits" if eyes.across else "")
    yield (
        f"{eyes.first.first} and {eyes.first.second} are named like two eyes of one patient ({counted}), and no group "
        f"is given; say `group: {{pattern: '{eyes.first.pattern}'}}` under `data`."
    )
