"""Labels from the cells of tables: numbers as they are, words by their order, several columns as one label each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.facts import Example, Split
from retspec.subjects.data.groups import same_group
from retspec.subjects.data.tables.values import integer, yes_or_no

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from retspec.subjects.data.tables.rows import Rows

Label = tuple[int | tuple[int, ...] | None, str]
"""The label of an example, and its class as written."""


def labelled(
    rows: Mapping[str, Rows], files: Mapping[str, list[list[str]]], columns: Sequence[str]
) -> dict[str, Split]:
    """Return the splits of a dataset.

    files: the paths of each split, by column of images. columns: the columns of labels.
    """
    if len(columns) > 1:
        numbers = {name: number for number, name in enumerate(columns)}
        return {split: _split(rows[split], files[split], numbers, _several(columns)) for split in rows}
    texts = {text for each in rows.values() for column in each.labels for text in column}
    numbers = numbered(texts)
    splits = {split: _split(rows[split], files[split], numbers, _single(numbers)) for split in rows}
    return {name: _with_own_classes(split) for name, split in splits.items()}


def numbered(texts: Iterable[str]) -> dict[str, int]:
    """Return class name to label. If any text is an integer, all should be: other texts are then not a class."""
    distinct = {text for text in texts if text}
    found = sorted({label for text in distinct if (label := integer(text)) is not None})
    if found:
        return {str(number): number for number in found}
    return {text: label for label, text in enumerate(sorted(distinct))}


def _single(numbers: Mapping[str, int]) -> Callable[[tuple[str, ...]], Label]:
    def label(cells: tuple[str, ...]) -> Label:
        (text,) = cells
        number = integer(text)
        name = text if number is None else str(number)
        return numbers.get(name), name

    return label


def _several(columns: Sequence[str]) -> Callable[[tuple[str, ...]], Label]:
    def label(cells: tuple[str, ...]) -> Label:
        values = [yes_or_no(cell) for cell in cells]
        strange = [
            f"{name} is {cell!r}" for name, cell, value in zip(columns, cells, values, strict=True) if value is None
        ]
        if strange:
            return None, ", ".join(strange)
        known = tuple(value or 0 for value in values)
        return known, " ".join(name for name, value in zip(columns, known, strict=True) if value) or "none"

    return label


def _split(
    rows: Rows, files: list[list[str]], numbers: Mapping[str, int], label: Callable[[tuple[str, ...]], Label]
) -> Split:
    """Return a split; the label of every distinct text is looked up once."""
    known: dict[tuple[str, ...], Label] = {}
    cells = zip(*rows.labels, strict=True) if rows.labels else (("",) for _ in range(len(rows)))
    groups: Sequence[str | None] = [None] * len(rows) if rows.groups is None else [*map(same_group, rows.groups)]
    examples = []
    lines = rows.lines or [0] * len(rows)
    subgroups = zip(*rows.subgroups, strict=True) if rows.subgroups else (() for _ in range(len(rows)))
    for (file, *also), texts, group, line, own in zip(
        zip(*files, strict=True), cells, groups, lines, subgroups, strict=True
    ):
        if not rows.labels:
            number, name = None, ""
        elif texts in known:
            number, name = known[texts]
        else:
            number, name = known[texts] = label(texts)
        examples.append(Example(file, number, name, group, tuple(also), line, own))
    return Split(tuple(examples), numbers if rows.labels else {}, has_labels=bool(rows.labels), table=rows.table)


def _with_own_classes(split: Split) -> Split:
    """Return a split with the classes that occur in it alone."""
    own = {example.class_name for example in split.examples}
    return replace(split, classes={name: label for name, label in split.classes.items() if name in own})
