"""Text to tree: PyYAML's event stream, without what a reviewer of YAML should not have to know."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from retspec.errors import Mark, Problem, SpecError
from retspec.load.scalars import plain
from retspec.load.tree import MAX_DEPTH, MAX_WRITTEN, Node
from retspec.wording import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Event = Any
"""PyYAML's stubs say too little about the attributes of its events."""

_USE_VARS = "write the value under `vars:` and refer to it as ${vars.NAME}"
_STANDARD = "tag:yaml.org,2002:"
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""What an escape in a quoted text can spell, and no file name, no JSON and no other program can hold."""
_MOST = 100
"""Problems after which the rest of a file is not read: nobody would read them."""
_LONGEST = 200
"""Characters of what PyYAML says."""


def parse(text: str, mark_at: Callable[[int, int], Mark]) -> tuple[Node | None, list[Problem]]:
    """Return the tree of one YAML document, None for an empty one, and the problems that do not stop it.

    mark_at: makes a mark of a line and a column, counted from 1.
    Raises `SpecError` for text that is not YAML, for nesting deeper than 50, and for too many values or problems.
    """
    builder = _Builder(mark_at)
    try:
        return builder.document(yaml.parse(text, Loader=yaml.SafeLoader)), builder.problems
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        builder.stop(builder.mark(at) if at else mark_at(1, 1), _say(error))
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        builder.stop(mark_at(len(lines), len(lines[-1]) + 1), f"the character {_shown(error.character)} is not allowed")


def _shown(character: object) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else repr(character)


def _say(error: yaml.MarkedYAMLError) -> str:
    if r"'\t'" in str(error.problem):
        return "a tab; YAML is indented and separated with spaces"
    reasons = filter(None, (error.context, error.problem))
    return f"this is not YAML: {one_line(', '.join(map(str, reasons)))[:_LONGEST]}"


class _Builder:
    """Builds the tree of one document, and collects what is wrong on the way."""

    def __init__(self, mark_at: Callable[[int, int], Mark]) -> None:
        self.mark_at = mark_at
        self.problems: list[Problem] = []
        self.written = 0

    def mark(self, mark: Any) -> Mark:
        return self.mark_at(mark.line + 1, mark.column + 1)

    def stop(self, mark: Mark, message: str) -> NoReturn:
        raise SpecError([*self.problems, Problem(mark, message)])

    def complain(self, mark: Mark, message: str) -> None:
        if len(self.problems) >= _MOST:
            self.stop(mark, f"more is wrong from here on; these are the first {_MOST} problems")
        self.problems.append(Problem(mark, message))

    def document(self, events: Iterator[Event]) -> Node | None:
        self.events = events
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            return None
        node = self.node(next(events))
        next(events)  # the end of the document
        following = next(events)
        if not isinstance(following, yaml.StreamEndEvent):
            self.complain(self.mark(following.start_mark), "a second document begins; a spec is one document")
        return node

    def node(self, event: Event, depth: int = 1) -> Node:
        """Build the value that begins with an event."""
        mark = self.mark(event.start_mark)
        if depth > MAX_DEPTH:
            self.stop(mark, f"nested deeper than {MAX_DEPTH} levels")
        self.written += 1
        if self.written > MAX_WRITTEN:
            self.stop(mark, f"more than {MAX_WRITTEN:,} keys and values; is this a spec?")
        if isinstance(event, yaml.AliasEvent):
            self.complain(mark, f"the alias {quoted(f'*{event.anchor}')} is not allowed; {_USE_VARS}")
            return Node(None, mark, faulty=True)
        if event.anchor is not None:
            self.complain(mark, f"the anchor {quoted(f'&{event.anchor}')} is not allowed; {_USE_VARS}")
        return self.untagged(event, self.content(event, mark, depth))

    def untagged(self, event: Event, node: Node) -> Node:
        if event.tag is None:
            return node
        tag = event.tag.replace(_STANDARD, "!!")
        self.complain(node.mark, f"the tag {quoted(tag)} is not allowed; a value has the type that it looks like")
        return replace(node, faulty=True)

    def content(self, event: Event, mark: Mark, depth: int) -> Node:
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self.mapping(depth), mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self.sequence(depth), mark)
        return self.scalar(event, mark)

    def scalar(self, event: Event, mark: Mark) -> Node:
        if event.style is not None:
            return self.text(event.value, mark)
        try:
            return Node(plain(event.value), mark)
        except ValueError as error:
            self.complain(mark, str(error))
            return Node(None, mark, faulty=True)

    def text(self, value: str, mark: Mark) -> Node:
        if not (found := _UNUSABLE.search(value)):
            return Node(value, mark)
        self.complain(mark, f"the character {_shown(ord(found[0]))} is not allowed")
        return Node(None, mark, faulty=True)

    def until(self, end: type[yaml.Event]) -> Iterator[Event]:
        """Yield the first event of each item; whoever takes one builds the item before the next."""
        while not isinstance(event := next(self.events), end):
            yield event

    def sequence(self, depth: int) -> tuple[Node, ...]:
        return tuple(self.node(event, depth + 1) for event in self.until(yaml.SequenceEndEvent))

    def mapping(self, depth: int) -> dict[str, Node]:
        children: dict[str, Node] = {}
        for event in self.until(yaml.MappingEndEvent):
            key = self.key(event, depth)
            child = self.node(next(self.events), depth + 1)
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
        if isinstance(event, yaml.ScalarEvent) and event.style is None and event.value == "<<":
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
        """Stand in for a key that is no text with one that nothing else is called."""
        if not key.faulty:
            self.complain(key.mark, f"a key must be text, found {_described(key)}; put it in quotes if it is meant")
        return replace(key, value=f"{key.mark.line}:{key.mark.column}", faulty=True)


def _described(key: Node) -> str:
    return json.dumps(key.value) if key.kind == "a single value" else key.kind
