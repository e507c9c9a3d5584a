"""`--set model.lora.r=16`: values from the command line, in place of those in the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.errors import Mark, UsageError
from retspec.spec.load.layers import layered
from retspec.spec.load.parse import parse
from retspec.spec.load.tree import MAX_DEPTH, Node

if TYPE_CHECKING:
    from collections.abc import Collection

    from retspec.errors import Problem


def override(root: Node, text: str) -> tuple[Node, list[Problem]]:
    """Return the tree with the value at `PATH=VALUE` replaced, and the problems of the value.

    The value is read by the same rules as the file. Mappings that are missing on the way are made.
    Raises `UsageError` for a path that leads nowhere, `SpecError` for a value that is not YAML.
    """
    path, sign, value = text.partition("=")
    steps = path.strip().split(".")
    shown = f"--set {one_line(text)}"
    if not text.isascii() and text != text.encode("utf-8", "replace").decode():
        raise UsageError(f"{shown}: this is not UTF-8")
    if not sign or not all(steps) or len(steps) > MAX_DEPTH:
        raise UsageError(f"{shown}: write a path and a value, such as --set model.lora.r=16")
    mark = Mark(shown, 1, 1)
    node, problems = parse(value, lambda _line, _column: mark)
    try:
        return put(root, steps, node or Node(None, mark)), problems
    except NoPlaceError as reason:
        raise UsageError(f"{shown}: {reason}") from None


class NoPlaceError(Exception):
    """A path leads nowhere."""


def put(node: Node, steps: list[str], new: Node, place: tuple[str, ...] = ()) -> Node:
    """Return a tree with another value at the end of some steps; mappings that are missing on the way are made.

    A single value put where a criterion has its long form, or one of its keys where it has its short form, is laid over
    it; a mapping takes its place.
    place: the keys that lead to the node.
    Raises `NoPlaceError` for steps that lead nowhere.
    """
    replaces = not steps and isinstance(new.value, dict)
    if not replaces and (both := layered(node, _nested(steps, new), place)):
        return replace(both, key_mark=node.key_mark)
    if not steps:
        return replace(new, key_mark=node.key_mark)
    if isinstance(node.value, tuple):
        return _put_item(node, node.value, steps, new)
    if not isinstance(node.value, dict) and node.value is not None:
        raise NoPlaceError(f"there is no {steps[0]!r} in a single value")
    children = node.value or {}
    key, rest = first_key(steps, children)
    child = children.get(key) or Node(None, new.mark, key_mark=new.key_mark or new.mark)
    return replace(node, value={**children, key: put(child, rest, new, (*place, key))}, faulty=False)


def _nested(steps: list[str], new: Node) -> Node:
    for step in reversed(steps):
        new = Node({step: replace(new, key_mark=new.mark)}, new.mark)
    return new


def _put_item(node: Node, items: tuple[Node, ...], steps: list[str], new: Node) -> Node:
    step, *rest = steps
    if not step.isdecimal() or int(step) >= len(items):
        raise NoPlaceError(f"there is no item {step!r} in a list of {len(items)}; items count from 0")
    index = int(step)
    item = put(items[index], rest, new)
    return replace(node, value=(*items[:index], item, *items[index + 1 :]))


def first_key(steps: list[str], known: Collection[str]) -> tuple[str, list[str]]:
    """Split off one key. The id of a criterion may hold dots: the longest key that exists wins."""
    for length in range(len(steps), 0, -1):
        if ".".join(steps[:length]) in known:
            return ".".join(steps[:length]), steps[length:]
    return steps[0], steps[1:]
