"""The classes of a dataset: their numbers as a spec gives them, and what is strange about those that it has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.errors import SubjectError
from retspec.subjects.data.tables.values import integer, is_missing, spelling
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from retspec.facts import Dataset, Example, Split

PATH = "data.classes"
_GRADES = (
    r"^(no|none|normal|healthy|negative|absent)\b|\bno[ _-]?(dr|apparent)\b",
    r"\bmild\b|\bminimal\b",
    r"\bmoderate\b",
    r"\bsevere\b",
    r"(?<!non)(?<!non[ _-])proliferati?v?e|\bpdr\b|\badvanced\b",
)
"""The words of the international scale of diabetic retinopathy in their order.

https://doi.org/10.1016/S0161-6420(03)00475-5
"""


def with_classes(dataset: Dataset, classes: Sequence[str] | Mapping[str, int | str] | None) -> Dataset:
    """Return a dataset whose labels have the numbers that a spec gives; as it is without any.

    classes: names in the order of their numbers, or label to number, or number to name. Of names, a label that is an
    integer, and not one of them, stays as it is; any other one has no number.

    Raises SubjectError for a name that is given twice, and for a mapping that is neither.
    """
    if classes is None:
        return dataset
    if isinstance(classes, Mapping):
        numbers = _mapped(classes)
        if numbers is not None:
            return _renumbered(dataset, numbers)
        names = _in_order(classes)
    else:
        names = [*classes]
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SubjectError(f"the class {twice!r} is named twice", path=PATH)
    if any(isinstance(example.label, tuple) for example in dataset.first.examples):
        if list(dataset.first.classes) != names:
            columns = ", ".join(dataset.first.classes)
            raise SubjectError(f"several label columns are the classes in their order: {columns}", path=PATH)
        return dataset
    return _relabelled(dataset, lambda example: _numbered(example, names, numbers), numbers)


def _mapped(classes: Mapping[str, int | str]) -> dict[str, int] | None:
    """Return label to number, or None for a mapping of numbers to names."""
    numbers = {name: number for name, number in classes.items() if isinstance(number, int)}
    if not numbers:
        return None
    if len(numbers) < len(classes):
        strange = next(name for name in classes if name not in numbers)
        raise SubjectError(f"{classes[strange]!r} is no number, as those of the other labels are", path=PATH)
    return numbers


def _in_order(classes: Mapping[str, int | str]) -> list[str]:
    """Return the names of a mapping of numbers to names, in the order of the numbers."""
    names = {integer(number): str(name) for number, name in classes.items()}
    if sorted(names, key=str) != sorted(range(len(classes)), key=str):
        raise SubjectError(
            f"the numbers of {len(classes)} classes are 0 to {len(classes) - 1}, and these are {', '.join(classes)}; "
            "a mapping is of labels to numbers, or of all numbers to their names",
            path=PATH,
        )
    return [names[number] for number in range(len(classes))]


def _renumbered(dataset: Dataset, numbers: Mapping[str, int]) -> Dataset:
    """Return a dataset with these numbers for its labels as they are written; any other label has none."""
    if any(isinstance(example.label, tuple) for example in dataset.first.examples):
        raise SubjectError("several label columns are the classes in their order; give no mapping", path=PATH)
    number_of = {spelling(label): number for label, number in numbers.items()}
    names: dict[int, list[str]] = defaultdict(list)
    for label, number in numbers.items():
        names[number].append(label)
    title = {number: " or ".join(labels) for number, labels in names.items()}
    classes = {title[number]: number for number in sorted(names)}

    def numbered(example: Example) -> Example:
        number = number_of.get(spelling(example.class_name))
        return replace(example, label=number, class_name=example.class_name if number is None else title[number])

    return _relabelled(dataset, numbered, classes)


def _relabelled(dataset: Dataset, relabel: Callable[[Example], Example], classes: Mapping[str, int]) -> Dataset:
    """Return a dataset with other labels in the splits that have any, and notes on classes without an image."""
    splits = {
        split: replace(listed, examples=tuple(map(relabel, listed.examples)), classes=classes)
        if listed.has_labels
        else listed
        for split, listed in dataset.splits.items()
    }
    return replace(dataset, splits=splits, notes=(*dataset.notes, *_notes_on_named(splits, classes)))


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


def unnumbered_notes(dataset: Dataset) -> Iterator[str]:
    """Yield a note about each split of which some labels are no class, and so in no count of classes."""
    for name, split in dataset.splits.items():
        without = [each for each in split.examples if each.label is None] if split.has_labels else []
        if without:
            label = repr(without[0].class_name) if without[0].class_name else "a blank"
            place = split.place(without[0]) or without[0].file
            yield (
                f"{name}: {len(without):,} of {len(split.examples):,} examples have a label that is no class, {label} "
                f"at {place} the first; they are in no count of classes, see `labels_out_of_range`."
            )
        lost = sorted({each.class_name for each in split.examples if each.label is not None and split.table})
        if texts := [text for text in lost if is_missing(text)]:
            yield f"{split.table}: {_quoted(texts)} is a class here, and a missing value to pandas."


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
        return sorted(names, key=lambda name: len(_GRADES) if ranks[name] is None else ranks[name] or 0)
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
