"""A training config as its own program reads it: anchors, aliases and merge keys mean what they mean in YAML.

A number that JSON cannot hold, such as `.inf`, stays text: it must not hinder a spec that does not refer to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from retspec.characters import quoted
from retspec.spec.load.parse import Builder, Event, is_merge
from retspec.spec.load.tags import read_tagged
from retspec.spec.load.tree import MAX_DEPTH, MAX_NODES, Node
from retspec.spec.load.yaml11 import other_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.errors import Mark

_MERGE = "<<"


class ConfigBuilder(Builder):
    """Builds the tree of a training config."""

    kind = "config"

    def __init__(self, mark_at: Callable[[int, int], Mark], keys: list[str] | None = None) -> None:
        """keys: gets the keys that YAML 1.1 reads otherwise, in words."""
        super().__init__(mark_at)
        self.keys: list[str] = [] if keys is None else keys
        self.anchors: dict[str, Node] = {}
        self.copied = 0

    def alias(self, name: str, mark: Mark, depth: int) -> Node:
        """Return what the anchor of that name holds; one that is still open would hold itself."""
        if name not in self.anchors:
            self.complain(mark, f"the alias {quoted(f'*{name}')} has no anchor before it")
            return Node(None, mark, faulty=True)
        node = self.anchors[name]
        self.copied += node.size
        if self.copied > MAX_NODES or depth + node.height > MAX_DEPTH:
            self.stop(mark, "the aliases multiply or nest beyond reason")
        return node

    def anchored(self, name: str, node: Node) -> Node:
        """Remember a value under its anchor; a later one of the same name takes its place."""
        self.anchors[name] = node
        return node

    def scalar(self, event: Event, mark: Mark) -> Node:
        """Build a single value, and note how YAML 1.1 reads it."""
        node = super().scalar(event, mark)
        reading = "" if event.style or event.tag else other_reading(event.value)
        return replace(node, reading=f"{event.value} is {reading}") if reading else node

    def untagged(self, event: Event, node: Node) -> Node:
        """Return a tagged value as data, or as one that nothing can refer to: it hinders nothing else."""
        return node if event.tag in {None, "!"} else read_tagged(event, node)

    def unusable(self, key: Node) -> Node:
        """Keep the value of a key that is no text, a list say, under its place: nothing can refer to it."""
        return replace(key, value=f"(the key at {key.mark.line}:{key.mark.column})", faulty=False)

    def no_number(self, text: str, mark: Mark, _error: ValueError) -> Node:
        """Keep the text."""
        return Node(text, mark)

    def mapping(self, depth: int) -> dict[str, Node]:
        """Build a mapping; what it says itself goes before what it merges, and earlier merges before later ones."""
        pairs = [*self.pairs(depth)]
        children = self.collected(pair for pair in pairs if not _is_merged(pair[0]))
        for key, value in pairs:
            for source in self.merged(value) if _is_merged(key) else ():
                children = {**source, **children}
        return children

    def merged(self, node: Node) -> Iterator[dict[str, Node]]:
        """Yield the mappings behind a merge key: one, or a list of them."""
        for source in node.value if isinstance(node.value, tuple) else (node,):
            if isinstance(source.value, dict):
                yield source.value
            elif not source.faulty:
                self.complain(source.mark, f"'<<' merges a mapping or a list of mappings, found {source.kind}")

    def key(self, event: Event, depth: int) -> Node:
        """Build a key: any single value, kept as it is written."""
        if is_merge(event):
            return Node(_MERGE, self.mark(event.start_mark), faulty=True)
        mark = self.mark(event.start_mark)
        if isinstance(event, yaml.ScalarEvent) and event.style is None and event.anchor is None and event.tag is None:
            if reading := other_reading(event.value):
                self.keys.append(f"the key {event.value} (line {mark.line}) is {reading}")
            return Node(event.value, mark)
        return super().key(event, depth)


def _is_merged(key: Node) -> bool:
    return key.faulty and key.value == _MERGE
