"""The columns that a dataset takes from its tables, split by split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.data.split_words import SPLITS
from retspec.subjects.data.tables.values import is_missing, spelling
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from retspec.subjects.data.tables.table import Table

PATH = "data.csv"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The names of columns in the spec."""

    images: tuple[str, ...]
    labels: tuple[str, ...]
    group: str | None = None
    split: str | None = None
    subgroups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The cells of one split, column by column."""

    images: list[list[str]]
    labels: list[list[str]]
    """Empty for a split without labels."""
    groups: list[str] | None = None
    splits: list[str] | None = None
    subgroups: list[list[str]]
    """The cells of each column of subgroups."""
    lines: list[int]
    """The line of each row; empty for a table without lines."""
    table: str
    """The file, as the spec names it."""

    def __len__(self) -> int:
        return len(self.images[0])

    def chosen(self, places: Sequence[int]) -> Rows:
        """Return some of the rows."""

        def taken(cells: list[str]) -> list[str]:
            return [cells[place] for place in places]

        return replace(
            self,
            images=[taken(column) for column in self.images],
            labels=[taken(column) for column in self.labels],
            groups=None if self.groups is None else taken(self.groups),
            splits=None,
            subgroups=[taken(column) for column in self.subgroups],
            lines=[self.lines[place] for place in places] if self.lines else [],
        )


def rows_of(table: Table, wanted: Wanted, *, split: str, may_lack_labels: bool, notes: list[str]) -> Rows:
    """Return the cells of a table that the spec names.

    may_lack_labels: whether the columns of labels may be left out, as in a public test table.

    Raises SubjectError for a column that is not there.
    """
    labels = wanted.labels
    if may_lack_labels and labels and not any(table.has(name) for name in labels):
        titles = ", ".join(map(repr, table.header))
        notes.append(
            f"{table.file} has no column {listing([repr(name) for name in labels])}, but {titles}: the split {split} "
            "has no labels, and checks of labels give no verdict on it."
        )
        labels = ()
    names = {
        "image_column": wanted.images,
        "label_column": labels,
        "group_column": (wanted.group,) if wanted.group else (),
        "split_column": (wanted.split,) if wanted.split else (),
        "subgroup_columns": wanted.subgroups,
    }
    found = {
        option: [table.find(name, path=f"{PATH}.{option}", notes=notes) for name in given]
        for option, given in names.items()
    }
    cells = iter(
        table.columns([place for places in found.values() for place in places], path=f"{PATH}.{split}", notes=notes)
    )
    images, labelled, groups, splits, subgroups = ([next(cells) for _ in places] for places in found.values())
    if may_lack_labels and labelled and images[0] and not any(map(any, labelled)):
        notes.append(f"{table.file}: every label is blank: the split {split} has no labels.")
        labelled = []
    notes += _blank_notes(table, names["image_column"], images)
    notes += _blank_notes(table, names["group_column"], groups)
    return Rows(
        images=images,
        labels=labelled,
        groups=next(iter(groups), None),
        splits=next(iter(splits), None),
        subgroups=subgroups,
        lines=table.lines,
        table=table.file,
    )


def _blank_notes(table: Table, names: Sequence[str], columns: Sequence[list[str]]) -> Iterator[str]:
    """Yield a note for each column in which some cells hold no value."""
    for name, cells in zip(names, columns, strict=True):
        blank = [row for row, cell in enumerate(cells) if is_missing(cell)]
        if blank:
            counted = f"{len(blank):,} of {len(cells):,} rows have no {name!r}"
            yield f"{table.file}: {counted}, {table.place(blank[0])} the first."


def divided(rows: Rows, shares: Mapping[str, Sequence[str]], shown: str, notes: list[str]) -> dict[str, Rows]:
    """Return the rows of one table by the values of its column of splits.

    shares: split to the values that it has, as the spec says; by default the usual words.

    Raises SubjectError where a value is not known, is in two splits, or is in no row.
    """
    cells = ["" if is_missing(cell) else spelling(cell) for cell in rows.splits or ()]
    values = dict.fromkeys(cells)
    split_of = _split_of(shares, values, shown) if shares else _by_words(values, shown)
    places: dict[str, list[int]] = {split: [] for split in SPLITS if split in split_of.values()}
    left: dict[str, int] = {}
    for place, cell in enumerate(cells):
        if cell in split_of:
            places[split_of[cell]].append(place)
        else:
            left[cell] = left.get(cell, 0) + 1
    if left:
        counted = listing([f"{number:,} of {value or 'a blank'!r}" for value, number in left.items()])
        notes.append(f"{shown}: no split has the rows of {counted}, of {len(rows):,}.")
    return {split: rows.chosen(found) for split, found in places.items()}


def _by_words(values: Mapping[str, None], shown: str) -> dict[str, str]:
    known = {word: split for split, words in SPLITS.items() for word in words}
    strange = [value for value in values if value and value not in known]
    if not strange and any(values):
        return {value: known[value] for value in values if value}
    example = f"`splits: {_example(values, known)}`"
    raise SubjectError(
        f"{shown}: the column has {listing([repr(value) for value in values])}; say which value is which split, "
        f"such as {example}",
        path=f"{PATH}.split_column",
    )


def _example(values: Mapping[str, None], known: Mapping[str, str]) -> str:
    """Return what a spec may say of values: those that are words for a split are in it, the others are in any."""
    shares: dict[str, list[str]] = {}
    for value in values:
        if value in known:
            shares.setdefault(known[value], []).append(value)
    strange = sorted((value for value in values if value and value not in known), key=lambda value: (len(value), value))
    if not shares:
        first, *others = strange or [""]
        shares = {"train": others[:8], "val": [first]}
    elif strange:
        free = next((split for split in SPLITS if split not in shares), "test")
        shares.setdefault(free, []).extend(strange)
    said = [f"{split}: [{', '.join(given)}]" for split, given in shares.items()]
    return f"{{{', '.join(said)}}}"


def _split_of(shares: Mapping[str, Sequence[str]], values: Mapping[str, None], shown: str) -> dict[str, str]:
    """Return value to split; without a share for training, it has all values that no other split has."""
    found: dict[str, str] = {}
    for split, given in shares.items():
        for value in map(spelling, given):
            if value not in values:
                there = listing([repr(known) for known in values])
                raise SubjectError(f"{shown}: no row is of {value!r}; there are {there}", path=f"{PATH}.splits.{split}")
            if value in found:
                raise SubjectError(
                    f"{value!r} is in {found[value]} and in {split}; a row is in one split",
                    path=f"{PATH}.splits.{split}",
                )
            found[value] = split
    if "train" in shares:
        return found
    return {value: found.get(value, "train") for value in values if value}
