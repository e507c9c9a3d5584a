"""The tree that a spec is while it is being loaded: values that know where they are written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from retspec.errors import Mark
from retspec.spec.document import Place
from retspec.spec.load.scalars import Scalar

MAX_DEPTH = 50
MAX_WRITTEN = 1 << 15
"""Values of one file: a spec of thousands of criteria has fewer, and a file of 1 MiB could hold half a million."""
MAX_NODES = 1 << 17
"""Values when references are resolved; some that multiply each other reach it soon."""
_LONGEST = 40
"""Characters of a value that is shown."""


@dataclass(frozen=True)
class Node:
    """One value with its marks; `faulty` when a problem speaks about it already."""

    value: Scalar | dict[str, Node] | tuple[Node, ...]
    mark: Mark
    key_mark: Mark | None = None
    faulty: bool = False
    obstacle: str = ""
    """Why nothing can refer to it; reported only where something does."""
    reading: str = ""
    """Of a plain scalar in a config: as it is written, and how YAML 1.1 reads it, if that is otherwise."""

    @property
    def start(self) -> Mark:
        """Where it begins: at its key, if it has one."""
        return self.key_mark or self.mark

    @property
    def children(self) -> list[tuple[str | int, Node]]:
        """The values of a mapping or a list with their keys or indices; nothing for a scalar."""
        if isinstance(self.value, dict):
            return list(self.value.items())
        return list(enumerate(self.value)) if isinstance(self.value, tuple) else []

    @property
    def kind(self) -> str:
        """What a person would call it."""
        if isinstance(self.value, dict):
            return "a mapping"
        return "a list" if isinstance(self.value, tuple) else "a single value"

    @property
    def shown(self) -> str:
        """The value itself where it is single, shortened; else what a person would call it."""
        return self.kind if isinstance(self.value, dict | tuple) else json.dumps(self.value)[:_LONGEST]

    # Resolved trees share branches, so that these two cost the size of the text, not of what it expands to.
    @cached_property
    def height(self) -> int:
        """How many levels it has."""
        return 1 + max((child.height for _, child in self.children), default=0)

    @cached_property
    def size(self) -> int:
        """How many values it has, itself included."""
        return 1 + sum(child.size for _, child in self.children)


@dataclass(frozen=True)
class Flat:
    """A tree taken apart: the plain data, and side tables of places."""

    marks: dict[Place, Mark] = field(default_factory=dict)
    key_marks: dict[Place, Mark] = field(default_factory=dict)
    faulty: set[Place] = field(default_factory=set)

    def add(self, node: Node, place: Place = ()) -> Any:
        """Note the places of a tree and return its plain data."""
        self.marks[place] = node.mark
        if node.key_mark:
            self.key_marks[place] = node.key_mark
        if node.faulty:
            self.faulty.add(place)
        data = {key: self.add(child, (*place, key)) for key, child in node.children}
        if isinstance(node.value, dict):
            return data
        return list(data.values()) if isinstance(node.value, tuple) else node.value
