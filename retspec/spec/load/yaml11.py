"""Plain scalars as YAML 1.1 reads them: PyYAML does, and with it most programs that read a training config."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from retspec.spec.load.scalars import scalar_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.spec.load.tree import Node

_NOT_FINITE = frozenset({".inf", "-.inf", "+.inf", ".nan"})
"""The same in both versions; a config keeps them as text, since JSON has no such numbers."""


def other_reading(text: str) -> str:
    """Return how YAML 1.1 reads an unquoted scalar that YAML 1.2 reads otherwise, in words; empty for the same.

    See https://yaml.org/type/ and https://yaml.org/spec/1.2.2/#103-core-schema.
    """
    if text.lower() in _NOT_FINITE:
        return ""
    try:
        ours: Any = scalar_of(text)
    except ValueError:  # a number that is too large for the reports
        return ""
    try:
        theirs = _constructed(text)
    except (yaml.YAMLError, ValueError):
        return f"an error, not {_shown(ours)}"
    if type(theirs) is type(ours) and theirs == ours:
        return ""
    return f"{_shown(theirs)}, not {_shown(ours)}"


def _constructed(text: str) -> Any:
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return loader.construct_object(yaml.ScalarNode(tag, text))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value!r}"
    return f"the date {value}" if isinstance(value, date) else json.dumps(value)


def otherwise_read(node: Node, place: str = "") -> Iterator[str]:
    """Yield each scalar of a tree that YAML 1.1 reads otherwise: `train.lr: 1e-4 is the text '1e-4', not 0.0001`."""
    if node.reading:
        yield f"{place}: {node.reading}"
    for key, child in node.children:
        yield from otherwise_read(child, f"{place}.{key}" if place else str(key))
