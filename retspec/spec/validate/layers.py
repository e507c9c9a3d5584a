"""A criterion that a spec and what lies under it write in both forms, as one long form."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from retspec.spec.document import CHECKS, LAYERS
from retspec.spec.load.merge import merge
from retspec.spec.load.tree import Flat, Node
from retspec.spec.validate.arguments import long_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.errors import Problem
    from retspec.plugins.catalog import Catalog
    from retspec.spec.document import Document, Place


def flattened(document: Document, catalog: Catalog) -> Document:
    """Return a document in which each criterion is written in one form; both mean the same, and the upper one wins.

    A null of the upper form removes a key, as it does in any mapping.
    """
    layers = document.layers
    if not layers:
        return document
    problems: list[Problem] = []
    flat = Flat(
        {place: mark for place, mark in document.marks.items() if not _is_in(place, layers)},
        {place: mark for place, mark in document.key_marks.items() if not _is_in(place, layers)},
        {place for place in document.faulty if not _is_in(place, layers)},
    )
    one = {
        name: flat.add(_one(document, catalog, name, entries, problems), (CHECKS, name))
        for name, entries in layers.items()
    }
    return replace(
        document,
        data={**document.data, CHECKS: {**document.data[CHECKS], **one}},
        marks=flat.marks,
        key_marks=flat.key_marks,
        faulty=frozenset(flat.faulty),
        problems=(*document.problems, *problems),
    )


def _is_in(place: Place, names: dict[str, Any]) -> bool:
    return place[:1] == (CHECKS,) and len(place) > 1 and place[1] in names


def _one(document: Document, catalog: Catalog, name: str, entries: list[Any], problems: list[Problem]) -> Node:
    named = [entry["check"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("check"), str)]
    check = catalog.checks.get(named[-1] if named else name)
    nodes = [_node(document, entry, (CHECKS, name, LAYERS, index)) for index, entry in enumerate(entries)]
    if check is None:  # reported by its name
        return nodes[-1]
    written = zip(nodes, (long_form(catalog, check, entry) for entry in entries), strict=True)
    forms = [_long(node, form) for node, form in written]
    return reduce(lambda under, over: merge(under, over, removing=problems), forms)


def _long(node: Node, form: Mapping[str, Any]) -> Node:
    """Return a node in the long form; in a short one, the node is the value of its limit or of its argument."""
    if isinstance(node.value, dict) and node.value.keys() == form.keys():
        return node
    ((key, inner),) = form.items()
    within = {key: node} if key == "limit" else {key: Node({next(iter(inner)): node}, node.mark, node.key_mark)}
    return Node(within, node.mark, node.key_mark)


def _node(document: Document, data: Any, place: Place) -> Node:
    value = data
    if isinstance(data, dict):
        value = {key: _node(document, child, (*place, key)) for key, child in data.items()}
    elif isinstance(data, list):
        value = tuple(_node(document, child, (*place, index)) for index, child in enumerate(data))
    key_mark = document.key_marks.get(place) or document.key_marks.get(place[:2])
    return Node(value, document.mark(place), key_mark, place in document.faulty)
