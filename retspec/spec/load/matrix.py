"""`matrix:`: one spec for several runs, one for each cell.

A mapping of keys to lists of values makes a cell of every combination, the last key changing fastest; a list
holds the cells themselves. A key that begins with a section of the spec sets that place in each cell; any other
word is a variable. `${matrix.KEY}` is the value of either, by the key as it is written, or by its last word where
only one key ends with it. A pattern of files is the list of those that match (`retspec.spec.load.globs`).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line, quoted, word
from retspec.errors import Problem, did_you_mean
from retspec.spec.load.globs import Axis, Files
from retspec.spec.load.overrides import NoPlaceError, first_key, put

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from retspec.spec.load.tree import Node
    from retspec.text.masking import Mask

MATRIX = "matrix"
_SECTIONS = ("name", "description", "vars", "config", "model", "data", "train", "predictions", "run", "checks")
"""What a key may set."""
_FIXED = ("retspec", "extends", "plugins", MATRIX)
"""What all cells share."""
MOST_CELLS = 10_000
"""What a matrix makes at most, and a pattern of files."""
_LONGEST = 40
"""Characters of a value that names a cell; a longer one is replaced by its number."""
_LONGEST_FILE = 120
"""The same for a file that a pattern found: its number changes with the files beside it."""


@dataclass(frozen=True)
class Value:
    """One value of a cell, and which one of its list it is, or of which cell; counted from 1."""

    node: Node
    number: int
    name: str = ""
    """What names the cell in place of it: the part of a file that a pattern does not spell."""


@dataclass(frozen=True)
class Cell:
    """One point of a matrix."""

    values: Mapping[str, Value]

    @property
    def nodes(self) -> dict[str, Node]:
        """The values by their keys."""
        return {key: value.node for key, value in self.values.items()}

    def put_into(self, tree: Node) -> tuple[Node, list[Problem]]:
        """Return the spec of this cell, its references unresolved, and what has no place in it."""
        problems = []
        for key, node in self.nodes.items():
            if not is_variable(key):
                try:
                    tree = put(tree, key.split("."), node)
                except NoPlaceError as reason:
                    problems.append(Problem(node.start, f"matrix: {word(key)} cannot be set: {reason}"))
        return tree, problems

    def name(self, resolved: Mapping[str, Any], keys: Collection[str], mask: Mask) -> str:
        """Return what distinguishes a cell from the others: `r=8, lr=0.001`.

        resolved: its values, references replaced. keys: those that distinguish all cells (`distinguishing_keys`).
        """
        named = {key: value for key, value in resolved.items() if key in keys}
        return ", ".join(f"{_short(key, keys)}={self._shown(key, value, mask)}" for key, value in named.items())

    def _shown(self, key: str, value: Any, mask: Mask) -> str:
        name = self.values[key].name
        text, longest = (name, _LONGEST_FILE) if name else (one_line(_text(value)), _LONGEST)
        is_fit = 0 < len(text) <= longest and mask.given(value) == value
        return text if is_fit else f"#{self.values[key].number}"


def cells_of(
    matrix: Node, resolve: Callable[[Node], Node], folder_of: Callable[[Node], Path]
) -> tuple[list[Cell], list[Problem]]:
    """Return the cells of a matrix in their order, or none and what is wrong with it.

    resolve: resolves a reference to the matrix, a list of values or a cell as a whole, and those in a pattern of
        files; others inside are left to the cell.
    folder_of: returns the folder that a pattern of files is relative to.
    """
    matrix = _opened(matrix, resolve)
    parts = {key: _opened(node, resolve) for key, node in matrix.children}
    axes: dict[str | int, Axis] = {}
    if isinstance(matrix.value, dict):
        files = Files(folder_of=folder_of, resolve=resolve, most=MOST_CELLS)
        axes = {key: files.axis(str(key), node, is_variable=is_variable(str(key))) for key, node in parts.items()}
        parts = {key: axis.node for key, axis in axes.items()}
    if unmatched := [problem for axis in axes.values() for problem in axis.problems]:
        return [], unmatched
    if matrix.faulty or any(node.faulty for node in parts.values()):
        return [], []
    if not parts:
        form = "a mapping of keys to lists of values, or a list of cells"
        found = matrix.shown if isinstance(matrix.value, str | int | float | None) else "an empty one"
        return [], [Problem(matrix.mark, f"matrix: expected {form}; found {found}")]
    problems = [*(_wrong_lists(parts) if isinstance(matrix.value, dict) else _wrong_cells(parts))]
    if problems:
        return [], problems
    cells = [*islice(_product(axes) if axes else _listed(parts), MOST_CELLS + 1)]
    if len(cells) > MOST_CELLS:
        return [], [Problem(matrix.start, f"the matrix has more than {MOST_CELLS:,} cells")]
    return cells, []


def distinguishing_keys(cells: Collection[Cell]) -> set[str]:
    """Return the keys that name the cells: those that set places, and variables too where those are not enough."""
    every = {key for cell in cells for key in cell.values}
    places = {key for key in every if not is_variable(key)}
    written = {repr([(key, _plain(node)) for key, node in cell.nodes.items() if key in places]) for cell in cells}
    return places if len(written) == len(cells) and repr([]) not in written else every


def _plain(node: Node) -> Any:
    return {key: _plain(child) for key, child in node.children} or node.value


def is_variable(key: str) -> bool:
    """Whether a key of a cell sets no place of the spec and is there to be referred to."""
    return key.partition(".")[0] not in _SECTIONS


def steps_to(name: str, keys: Collection[str]) -> list[str]:
    """Return the key that `${matrix.NAME}` means and the steps below its value.

    Raises ValueError for a last word that several keys share.
    """
    steps = name.split(".")
    key, below = first_key(steps, keys)
    alike = [key] if key in keys else [each for each in keys if _last(each) == key]
    if len(alike) > 1:
        raise ValueError(f"matrix.{word(key)} may be {' or '.join(map(word, alike))}; write the whole key")
    return [*alike, *below] if alike else [name]


def faults_of(cells: Sequence[Cell], names: Sequence[str], used: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong with cells side by side: two of one name, and a variable that nothing refers to."""
    for name, count in Counter(names).items():
        if count > 1:
            second = cells[names.index(name, names.index(name) + 1)]
            first = next(iter(second.nodes.values()))
            yield Problem(first.start, f"the matrix has {count} cells {quoted(name)}; each is there once")
    for key, node in {key: node for cell in reversed(cells) for key, node in cell.nodes.items()}.items():
        if is_variable(key) and key not in used:
            yield Problem(node.start, f"nothing refers to ${{matrix.{word(key)}}}, so that it changes nothing")


def _opened(node: Node, resolve: Callable[[Node], Node]) -> Node:
    return resolve(node) if isinstance(node.value, str) else node


# The two forms ----------------------------------------------------------------------------------------------


def _product(axes: Mapping[str | int, Axis]) -> Iterator[Cell]:
    columns = [
        [_value(key, axis.node, item, index, axis.name(int(index))) for index, item in axis.node.children]
        for key, axis in axes.items()
    ]
    return (Cell(dict(pairs)) for pairs in product(*columns))


def _listed(cells: Mapping[str | int, Node]) -> Iterator[Cell]:
    return (Cell(dict(_value(key, node, node, index) for key, node in cell.children)) for index, cell in cells.items())


def _value(key: str | int, holder: Node, node: Node, index: str | int, name: str = "") -> tuple[str, Value]:
    return str(key), Value(replace(node, key_mark=holder.key_mark), int(index) + 1, name)


def _wrong_lists(lists: Mapping[str | int, Node]) -> Iterator[Problem]:
    for key, node in lists.items():
        if not isinstance(node.value, tuple):
            hint = f"; write [{node.shown}]" if not isinstance(node.value, dict) else ""
            message = f"matrix: {word(str(key))}: expected a list of values; found {node.shown}{hint}"
            yield Problem(node.mark, message)
        elif not node.value:
            yield Problem(node.mark, f"matrix: {word(str(key))} has no value, so that no cell would be left")
    yield from _wrong_keys(lists)


def _wrong_cells(cells: Mapping[str | int, Node]) -> Iterator[Problem]:
    for node in cells.values():
        if isinstance(node.value, dict) and node.value:
            yield from _wrong_keys(dict(node.children))
        else:
            yield Problem(node.mark, f"matrix: a cell is a mapping of keys to values; found {node.shown}")


def _wrong_keys(nodes: Mapping[str | int, Node]) -> Iterator[Problem]:
    for key, node in nodes.items():
        if objection := _objection(str(key), [str(other) for other in nodes]):
            yield Problem(node.start, f"matrix: {objection}")


def _objection(key: str, keys: Iterable[str]) -> str:
    """Return why a key cannot be one of a cell, or an empty string."""
    first, dot, _ = key.partition(".")
    if first in _FIXED:
        return f"{word(key)} cannot differ from cell to cell"
    if dot and first not in _SECTIONS:
        sections = f"{', '.join(_SECTIONS)}{did_you_mean(first, _SECTIONS)}"
        return f"{quoted(key)} is not a place in a spec, which begins with one of {sections}"
    if not all(key.split(".")):
        return f"{quoted(key)} is not a place in a spec; write it like model.lora.r"
    around = next((other for other in keys if key.startswith(f"{other}.")), None)
    return f"{word(around)} already holds {word(key)}; set one of them" if around else ""


# Words ------------------------------------------------------------------------------------------------------


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _short(key: str, keys: Iterable[str]) -> str:
    """Return the last word of a key, or all of it where another key ends alike."""
    is_alone = sum(_last(other) == _last(key) for other in keys) == 1
    return _last(key) if is_alone else key


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_text(entry)}' for key, entry in value.items())}}}"
    return json.dumps(value)
