"""One tree laid over another: how a spec and what it extends become one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.characters import quoted
from retspec.errors import Mark, Problem, did_you_mean
from retspec.spec.load.layers import layered
from retspec.spec.load.tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOTHING = Node(None, Mark("", 1, 1))


def merge(under: Node, over: Node, removing: list[Problem] | None = None, place: tuple[str, ...] = ()) -> Node:
    """Return a tree laid over another: mappings key by key, lists and single values as a whole.

    Every value keeps its marks; a mapping of both has those of the upper one. A criterion that they write in different
    forms keeps both.
    removing: a null of the upper tree removes its key, and one that removes nothing becomes a problem in this list.
        Without it, null is a value like any other.
    place: the keys that lead to the trees.
    """
    if both := layered(under, over, place):
        return both
    if not isinstance(over.value, dict):
        return over
    merged = dict(under.value) if isinstance(under.value, dict) else {}
    for key, node in over.value.items():
        if removing is None or node.value is not None or node.faulty:
            merged[key] = merge(merged.get(key, _NOTHING), node, removing, (*place, key))
        elif merged.pop(key, None) is None:
            removing.append(_nothing_to_remove(key, node, merged))
    return replace(over, value=merged)


def _nothing_to_remove(key: str, node: Node, known: Iterable[str]) -> Problem:
    message = f"null removes a key, and what this file extends has no {quoted(key)} here{did_you_mean(key, known)}"
    return Problem(node.start, message)
