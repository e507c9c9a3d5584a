"""`--set model.lora.r=16`: values from the command line, in place of those in the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import Mark, UsageError
from retspec.load.parse import parse
from retspec.load.tree import MAX_DEPTH, Node
from retspec.wording import one_line

if TYPE_CHECKING:
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
    return _put(root, steps, node or Node(None, mark), mark), problems


def _put(node: Node, steps: list[str], new: Node, mark: Mark) -> Node:
    if not steps:
        return replace(new, key_mark=node.key_mark)
    if isinstance(node.value, tuple):
        return _put_item(node, node.value, steps, new)
    if not isinstance(node.value, dict) and node.value is not None:
        raise UsageError(f"{mark.file}: there is no {steps[0]!r} in a single value")
    children = node.value or {}
    key, rest = _first(steps, children)
    child = children.get(key) or Node(None, new.mark, key_mark=mark)
    return replace(node, value={**children, key: _put(child, rest, new, mark)}, faulty=False)


def _put_item(node: Node, items: tuple[Node, ...], steps: list[str], new: Node) -> Node:
    step, *rest = steps
    if not step.isdecimal() or int(step) >= len(items):
        raise UsageError(f"{new.mark.file}: there is no item {step!r} in a list of {len(items)}; items count from 0")
    index = int(step)
    item = _put(items[index], rest, new, new.mark)
    return replace(node, value=(*items[:index], item, *items[index + 1 :]))


def _first(steps: list[str], known: dict[str, Node]) -> tuple[str, list[str]]:
    """Split off one key. The id of a criterion may hold dots: the longest key that exists wins."""
    for length in range(len(steps), 0, -1):
        if ".".join(steps[:length]) in known:
            return ".".join(steps[:length]), steps[length:]
    return steps[0], steps[1:]
