"""Text to tree: PyYAML's event stream, without what a reviewer of YAML should not have to know."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from retspec.characters import one_line, quoted
from retspec.errors import Mark, Problem, SpecError
from retspec.spec.load.scalars import scalar_of
from retspec.spec.load.tree import MAX_DEPTH, MAX_WRITTEN, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Event = Any
"""PyYAML's stubs say too little about the attributes of its events."""

_USE_VARS = "write the value under `vars:` and refer to it as ${vars.NAME}"
STANDARD = "tag:yaml.org,2002:"
UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""What an escape in a quoted text can spell, and no file name, no JSON and no other program can hold."""
_MOST = 100
"""Problems after which the rest of a file is not read: a longer list helps no one."""
_LONGEST = 200
"""Longest part of PyYAML's message that is shown, in characters."""


def parse(
    text: str,
    mark_at: Callable[[int, int], Mark],
    builder: Callable[[Callable[[int, int], Mark]], Builder] | None = None,
) -> tuple[Node | None, list[Problem]]:
    """Return the tree of one YAML document, None for an empty one, and the problems that do not stop it.

    mark_at: makes a mark of a line and a column, counted from 1.
    builder: what the document may hold; by default what a spec may.
    Raises `SpecError` for text that is not YAML, for nesting deeper than 50, and for too many values or problems.
    """
    building = (builder or Builder)(mark_at)
    try:
        return building.document(yaml.parse(text, Loader=yaml.SafeLoader)), building.problems
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        building.stop(building.mark(at) if at else mark_at(1, 1), _say(error))
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        building.stop(
            mark_at(len(lines), len(lines[-1]) + 1), f"the character {_shown(error.character)} is not allowed"
        )


def _shown(character: object) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else repr(character)


def _say(error: yaml.MarkedYAMLError) -> str:
    if r"'\t'" in str(error.problem):
        return "a tab; YAML is indented and separated with spaces"
    reasons = filter(None, (error.context, error.problem))
    return f"this is not YAML: {one_line(', '.join(map(str, reasons)))[:_LONGEST]}"


class Builder:
    """Builds the tree of one document, and collects what is wrong on the way."""

    kind = "spec"
    """What the document is, in messages."""

    def __init__(self, mark_at: Callable[[int, int], Mark]) -> None:
        self.mark_at = mark_at
        self.problems: list[Problem] = []
        self.written = 0

    def mark(self, mark: Any) -> Mark:
        """Return a mark of PyYAML's as one of ours."""
        return self.mark_at(mark.line + 1, mark.column + 1)

    def stop(self, mark: Mark, message: str) -> NoReturn:
        """Raise all problems so far, and this one."""
        raise SpecError([*self.problems, Problem(mark, message)])

    def complain(self, mark: Mark, message: str) -> None:
        """Note a problem, and go on."""
        if len(self.problems) >= _MOST:
            self.stop(mark, f"more is wrong from here on; these are the first {_MOST} problems")
        self.problems.append(Problem(mark, message))

    def document(self, events: Iterator[Event]) -> Node | None:
        """Build the one document of a stream, None for an empty one."""
        self.events = events
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            return None
        node = self.node(next(events))
        next(events)  # the end of the document
        following = next(events)
        if not isinstance(following, yaml.StreamEndEvent):
            self.complain(self.mark(following.start_mark), f"a second document begins; a {self.kind} is one document")
        return node

    def node(self, event: Event, depth: int = 1) -> Node:
        """Build the value that begins with an event."""
        mark = self.mark(event.start_mark)
        if depth > MAX_DEPTH:
            self.stop(mark, f"nested deeper than {MAX_DEPTH} levels")
        self.written += 1
        if self.written > MAX_WRITTEN:
            self.stop(mark, f"more than {MAX_WRITTEN:,} keys and values; is this a {self.kind}?")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(str(event.anchor), mark, depth)
        node = self.untagged(event, self.content(event, mark, depth))
        return node if event.anchor is None else self.anchored(event.anchor, node)

    def alias(self, name: str, mark: Mark, _depth: int) -> Node:
        """Build a placeholder for the value of an anchor."""
        self.complain(mark, f"the alias {quoted(f'*{name}')} is not allowed; {_USE_VARS}")
        return Node(None, mark, faulty=True)

    def anchored(self, name: str, node: Node) -> Node:
        """Take note of a value that has an anchor."""
        self.complain(node.mark, f"the anchor {quoted(f'&{name}')} is not allowed; {_USE_VARS}")
        return node

    def untagged(self, event: Event, node: Node) -> Node:
        """Refuse a tag."""
        if event.tag is None:
            return node
        tag = event.tag.replace(STANDARD, "!!")
        self.complain(node.mark, f"the tag {quoted(tag)} is not allowed; a value has the type that it looks like")
        return replace(node, faulty=True)

    def content(self, event: Event, mark: Mark, depth: int) -> Node:
        """Build a value of any kind."""
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self.mapping(depth), mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self.sequence(depth), mark)
        return self.scalar(event, mark)

    def scalar(self, event: Event, mark: Mark) -> Node:
        """Build a single value."""
        if event.style is not None:
            return self.text(event.value, mark)
        try:
            return Node(scalar_of(event.value), mark)
        except ValueError as error:
            return self.no_number(event.value, mark, error)

    def no_number(self, _text: str, mark: Mark, error: ValueError) -> Node:
        """Build a placeholder for a number that nothing compares with, such as NaN."""
        self.complain(mark, str(error))
        return Node(None, mark, faulty=True)

    def text(self, value: str, mark: Mark) -> Node:
        """Build a text in quotes."""
        if not (found := UNUSABLE.search(value)):
            return Node(value, mark)
        self.complain(mark, f"the character {_shown(ord(found[0]))} is not allowed")
        return Node(None, mark, faulty=True)

    def until(self, end: type[yaml.Event]) -> Iterator[Event]:
        """Yield the first event of each item; the caller builds the item before it asks for the next."""
        while not isinstance(event := next(self.events), end):
            yield event

    def sequence(self, depth: int) -> tuple[Node, ...]:
        """Build the items of a list."""
        return tuple(self.node(event, depth + 1) for event in self.until(yaml.SequenceEndEvent))

    def mapping(self, depth: int) -> dict[str, Node]:
        """Build the values of a mapping under their keys."""
        return self.collected(self.pairs(depth))

    def pairs(self, depth: int) -> Iterator[tuple[Node, Node]]:
        """Yield the keys and values of a mapping as they are written."""
        for event in self.until(yaml.MappingEndEvent):
            yield self.key(event, depth), self.node(next(self.events), depth + 1)

    def collected(self, pairs: Iterable[tuple[Node, Node]]) -> dict[str, Node]:
        """Put values under their keys, and refuse one that is given twice."""
        children: dict[str, Node] = {}
        for key, child in pairs:
            first = children.setdefault(
                str(key.value), replace(child, key_mark=key.mark, faulty=child.faulty or key.faulty)
            )
            if first.key_mark is not key.mark and not key.faulty:
                self.complain(
                    key.mark, f"duplicate key {quoted(str(key.value))}; it is first given at {first.key_mark}"
                )
        return children

    def key(self, event: Event, depth: int) -> Node:
        """Build a key: text, or a plain integer, kept as its digits: `{4: 393_216}` maps ranks to counts."""
        if is_merge(event):
            node = Node(None, self.mark(event.start_mark), faulty=True)
            self.complain(node.mark, f"the merge key '<<' is not allowed; {_USE_VARS}")
        else:
            node = self.node(event, depth + 1)
        if isinstance(node.value, str) and not node.faulty:
            return node
        if isinstance(node.value, int) and not isinstance(node.value, bool) and not node.faulty:
            return replace(node, value=str(node.value))
        return self.unusable(node)

    def unusable(self, key: Node) -> Node:
        """Replace a key that is not text with a unique one."""
        if not key.faulty:
            self.complain(key.mark, f"a key must be text, found {key.shown}; put it in quotes if it is meant")
        return replace(key, value=f"{key.mark.line}:{key.mark.column}", faulty=True)


def is_merge(event: Event) -> bool:
    """Whether the event is the merge key `<<`, which as a quoted text is a key like any other."""
    return isinstance(event, yaml.ScalarEvent) and event.style is None and event.value == "<<"
