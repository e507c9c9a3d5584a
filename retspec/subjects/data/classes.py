"""The classes of a dataset: their numbers as a spec gives them, and what is strange about those that it has."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.errors import SubjectError
from retspec.facts import Dataset, Example, Split
from retspec.subjects.data.tables.values import integer
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PATH = "data.classes"
_GRADES = (
    r"^(no|none|normal|healthy|negative|absent)\b|\bno[ _-]?(dr|apparent)\b",
    r"\bmild\b|\bminimal\b",
    r"\bmoderate\b",
    r"\bsevere\b",
    r"(?<!non)(?<!non[ _-])proliferative|\bpdr\b|\badvanced\b",
)
"""The words of the international scale of diabetic retinopathy in their order.

https://doi.org/10.1016/S0161-6420(03)00475-5
"""


def with_classes(dataset: Dataset, names: Sequence[str] | None) -> Dataset:
    """Return a dataset whose labels have the numbers of these names, in their order; as it is without any.

    A label that is an integer, and not one of the names, stays as it is; any other one has no number.

    Raises SubjectError for a name that is given twice.
    """
    if names is None:
        return dataset
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise SubjectError(f"the class {twice!r} is named twice", path=PATH)
    if any(isinstance(example.label, tuple) for example in dataset.first.examples):
        if list(dataset.first.classes) != list(names):
            columns = ", ".join(dataset.first.classes)
            raise SubjectError(f"several label columns are the classes in their order: {columns}", path=PATH)
        return dataset
    splits = {
        split: Split(tuple(_numbered(example, names, numbers) for example in listed.examples), numbers)
        if listed.has_labels
        else listed
        for split, listed in dataset.splits.items()
    }
    return replace(dataset, splits=splits, notes=(*dataset.notes, *_notes_on_named(splits, numbers)))


def _numbered(example: Example, names: Sequence[str], numbers: Mapping[str, int]) -> Example:
    label = numbers.get(example.class_name, integer(example.class_name))
    known = label is not None and 0 <= label < len(names)
    return replace(example, label=label, class_name=names[label] if known and label is not None else example.class_name)


def _notes_on_named(splits: Mapping[str, Split], numbers: Mapping[str, int]) -> Iterator[str]:
    found = {example.class_name for split in splits.values() for example in split.examples if split.has_labels}
    if unused := [name for name in numbers if name not in found]:
        yield f"no split has an image of {_quoted(unused)}, which `classes` names."
    if strangers := sorted(found - set(numbers) - {""}):
        yield f"{_quoted(strangers)} is a label that `classes` does not name; see `labels_out_of_range`."


def class_notes(dataset: Dataset) -> Iterator[str]:
    """Yield what is strange about the numbers of classes that no spec gives, in whole sentences."""
    if any(isinstance(example.label, tuple) for example in dataset.first.examples):
        return
    numbers: dict[str, int] = {}
    for split in dataset.splits.values():
        numbers = {**split.classes, **numbers}
    yield from _order_notes(numbers)
    yield from _gap_notes(dataset, numbers)
    alike: dict[str, list[str]] = defaultdict(list)
    for name in numbers:
        alike[" ".join(name.split()).casefold()].append(name)
    if twins := [_quoted(names) for names in alike.values() if len(names) > 1]:
        yield f"classes differ in case or blanks alone, and have numbers of their own: {'; '.join(twins)}."


def _order_notes(numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield a note about classes whose numbers follow the text order of names that mean another one."""
    names = sorted(numbers, key=numbers.__getitem__)
    meant = _meant_order(names)
    moved = [f"{name!r} is {numbers[name]}" for name in names if integer(name) not in {None, numbers[name]}]
    if meant != names:
        shown = moved or [f"{name!r} is {numbers[name]}" for name in names]
        yield (
            f"the classes are numbered in the text order of their names: {listing(shown)}; say what the training uses, "
            f"such as `classes: [{', '.join(meant)}]` under `data`, or rename them."
        )
    elif moved and len(moved) == len(names):
        yield (
            f"the classes are numbered from 0 in the order of their names, which begin at {names[0]}: {listing(moved)}."
        )


def _meant_order(names: Sequence[str]) -> list[str]:
    """Return names in the order of the numbers, or of the grades, that they hold."""
    ranks = {name: _grade(name) for name in names}
    if sum(rank is not None for rank in ranks.values()) > 2 and len(set(ranks.values())) == len(names):  # noqa: PLR2004 - two words may be a coincidence
        return sorted(names, key=lambda name: -1 if ranks[name] is None else ranks[name] or 0)
    return sorted(names, key=natural)


def _grade(name: str) -> int | None:
    """Return the grade of retinopathy that a name is a word for, or None; one with a number in it is sorted by that."""
    if re.search(r"\d", name):
        return None
    words = name.casefold().replace("_", " ")
    return next((rank for rank, pattern in reversed([*enumerate(_GRADES)]) if re.search(pattern, words)), None)


def natural(name: str) -> list[tuple[str, int]]:
    """Return a key by which 2 comes before 10."""
    return [(text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", name)]


def _gap_notes(dataset: Dataset, numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield a note about integers that are labels as they are, and leave out some below the largest."""
    if not numbers or any(integer(name) != number for name, number in numbers.items()):
        return
    used = sorted({each.label for each in dataset.examples if isinstance(each.label, int) and each.label >= 0})
    if missing := sorted(set(range(used[-1] if used else 0)) - set(used)):
        absent = ", ".join(f"class {number}" for number in missing[:5])
        start = "; the labels start at 1, and a loss counts from 0" if missing == [0] else ""
        yield f"no image has the label of {absent}: the labels are {listing([str(label) for label in used])}{start}."


def _quoted(names: Iterable[str]) -> str:
    return listing([repr(name) for name in names])
