"""Tags in a training config: PyYAML writes `!!python/tuple` and the like for what has no form in YAML.

Those of plain data are read as such, without importing what they name. Any other makes the value unknown: that is an
error only where a spec refers to it. See https://pyyaml.org/wiki/PyYAMLDocumentation#yaml-tags-and-python-types
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from retspec.characters import quoted
from retspec.spec.load.parse import STANDARD
from retspec.spec.load.python_config import MAPPINGS, PATHS
from retspec.spec.load.scalars import Scalar, scalar_of
from retspec.spec.load.tree import Node

if TYPE_CHECKING:
    from retspec.spec.load.parse import Event

_TEXTS = frozenset({"str", "python/str", "python/unicode", "timestamp", "python/bytes"})
_NUMBERS = frozenset({"int", "float", "python/int", "python/long", "python/float"})
_WORDS = frozenset({"bool", "null", "python/bool", "python/none"})
_LISTS = frozenset({"seq", "python/list", "python/tuple"})
_MAPS = frozenset({"map", "python/dict"})
_OBJECTS = ("python/object:", "python/object/new:", "python/object/apply:")


def read_tagged(event: Event, node: Node) -> Node:
    """Return a tagged value as the data that it is, or as one that nothing can refer to."""
    short = str(event.tag).removeprefix(STANDARD)
    text = getattr(event, "value", None)
    found = _scalar(short, text, node) if isinstance(text, str) else _collection(short, node)
    if found is not None:
        return replace(found, reading="")
    shown = quoted(str(event.tag).replace(STANDARD, "!!"))
    said = f"has the tag {shown}, whose meaning is not known here; write it as plain data"
    return replace(node, value=text if isinstance(text, str) else shown, obstacle=said, reading="")


def _scalar(short: str, text: str, node: Node) -> Node | None:
    if short in _TEXTS:
        return replace(node, value=text)
    if short in _NUMBERS or short in _WORDS:
        value = _plain(short, text)
        return None if isinstance(value, str) else replace(node, value=value)
    return None


def _plain(short: str, text: str) -> Scalar:
    """Return the value of a number or a word; text for what is neither."""
    try:
        value = scalar_of(text.lower() if short in _WORDS else text)
    except ValueError:
        return text
    return float(value) if short.endswith("float") and isinstance(value, int) else value


def _collection(short: str, node: Node) -> Node | None:
    if (short in _LISTS and isinstance(node.value, tuple)) or (short in _MAPS and isinstance(node.value, dict)):
        return node
    if short == "set" and isinstance(node.value, dict):
        return replace(node, value=tuple(Node(key, child.mark) for key, child in node.value.items()))
    if short in {"omap", "pairs"} and isinstance(node.value, tuple):
        return replace(node, value={key: value for each in node.value for key, value in _pair(each)})
    made = next((short.removeprefix(form) for form in _OBJECTS if short.startswith(form)), "")
    return _object(made.rpartition(".")[2], node) if made else None


def _object(name: str, node: Node) -> Node | None:
    """Return an object of a class of plain data: a path, or a mapping with attributes."""
    given = node.value
    if name in PATHS and isinstance(given, tuple) and all(isinstance(each.value, str) for each in given):
        return replace(node, value=str(PurePosixPath(*(str(each.value) for each in given))))
    if name not in MAPPINGS:
        return None
    if isinstance(given, dict):
        parts = [given[key].value for key in ("dictitems", "state") if key in given]
        whole = parts if parts and given.keys() <= {"dictitems", "state", "args", "kwds", "listitems"} else [given]
        return replace(
            node, value={key: child for part in whole if isinstance(part, dict) for key, child in part.items()}
        )
    if (
        isinstance(given, tuple) and len(given) == 1 and isinstance(given[0].value, tuple)
    ):  # OrderedDict([[key, value]])
        return replace(node, value={key: value for each in given[0].value for key, value in _pair(each)})
    return None


def _pair(node: Node) -> list[tuple[str, Node]]:
    """Return a key and its value: a list of both, or a mapping of one."""
    if isinstance(node.value, dict):
        return [(str(key), value) for key, value in node.value.items()]
    if isinstance(node.value, tuple) and len(node.value) == 2:  # noqa: PLR2004 - a key and a value
        return [(str(node.value[0].value), node.value[1])]
    return []
