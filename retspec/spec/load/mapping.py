"""A spec that Python gives as a mapping: there is no file, so that a place is named by its keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

from retspec.errors import Mark, Problem, SpecError
from retspec.spec.load.parse import UNUSABLE
from retspec.spec.load.tree import MAX_DEPTH, MAX_WRITTEN, Node

IN_MEMORY = "<spec>"
"""What stands for the path of the file; its relative paths start from the working directory."""
_DEFAULTS = {"retspec": 1, "name": "spec"}


def tree_of(given: Mapping[str, Any]) -> tuple[Node, list[Problem]]:
    """Return the tree of a spec, and what is wrong with its values; `retspec` and `name` may be left out.

    Raises `SpecError` for nesting deeper than 50, and for more values than a file may have.
    """
    building = _Building()
    return building.node({**_DEFAULTS, **given}, ()), building.problems


class _Building:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._values = 0

    def node(self, value: Any, place: tuple[str, ...]) -> Node:
        """Build one value and all that is in it."""
        mark = Mark.of_keys(".".join(place) or IN_MEMORY)
        self._values += 1
        if len(place) >= MAX_DEPTH:
            raise SpecError([*self.problems, Problem(mark, f"nested deeper than {MAX_DEPTH} levels")])
        if self._values > MAX_WRITTEN:
            raise SpecError([*self.problems, Problem(mark, f"more than {MAX_WRITTEN:,} values; is this a spec?")])
        if isinstance(value, Mapping):
            return Node(dict(self._entry(key, entry, place) for key, entry in value.items()), mark)
        if isinstance(value, (list, tuple)):
            return Node(tuple(self.node(item, (*place, str(index))) for index, item in enumerate(value)), mark)
        return self._scalar(value, mark)

    def _entry(self, key: Any, value: Any, place: tuple[str, ...]) -> tuple[str, Node]:
        name = str(key)
        child = self.node(value, (*place, name))
        is_key = isinstance(key, str) or (isinstance(key, Integral) and not isinstance(key, bool))
        if not is_key:
            message = f"a key must be text, found {type(key).__name__}"
            self.problems.append(Problem(child.mark, message))
        return name, replace(child, key_mark=child.mark, faulty=child.faulty or not is_key)

    def _scalar(self, value: Any, mark: Mark) -> Node:
        if isinstance(value, os.PathLike):
            value = os.fsdecode(value)
        if isinstance(value, str) and (found := UNUSABLE.search(value)):
            return self._faulty(f"the character U+{ord(found[0]):04X} is not allowed", mark)
        if value is None or isinstance(value, (bool, str)):
            return Node(value, mark)
        if not isinstance(value, Real):
            return self._faulty(f"expected text, a number, a list or a mapping; found {type(value).__name__}", mark)
        number = int(value) if isinstance(value, Integral) else float(value)  # those of numpy, too
        return Node(number, mark) if number - number == 0 else self._faulty(f"{number} compares with nothing", mark)

    def _faulty(self, message: str, mark: Mark) -> Node:
        self.problems.append(Problem(mark, message))
        return Node(None, mark, faulty=True)
