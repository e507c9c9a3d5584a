"""Training configs in JSON and TOML: standard readers, which know no places, so that all is marked at the start."""

from __future__ import annotations

import json
import math
import re
import tomllib
from typing import Any

from retspec.characters import one_line, quoted
from retspec.errors import Mark, refuse
from retspec.spec.load.scalars import Scalar, scalar_of
from retspec.spec.load.tree import MAX_DEPTH, Node

_AT = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")


def json_config(text: str, start: Mark) -> Node:
    """Return the tree of a JSON document; raises `SpecError` for what is none, or holds a key twice."""
    try:
        value = json.loads(
            text, parse_int=_number, parse_float=_number, parse_constant=str, object_pairs_hook=_without_duplicates
        )
        json.dumps(value, ensure_ascii=False).encode()
        return _tree(value, start, 1)
    except json.JSONDecodeError as error:
        refuse(Mark(start.file, error.lineno, error.colno), f"this is not JSON: {error.msg}")
    except _DuplicateKeyError as error:
        refuse(start, f"duplicate key {quoted(str(error))}")
    except UnicodeEncodeError:
        refuse(start, "a text holds half of a surrogate pair, which is not a character")
    except RecursionError:
        refuse(start, f"nested deeper than {MAX_DEPTH} levels")


def toml_config(text: str, start: Mark) -> Node:
    """Return the tree of a TOML document; raises `SpecError` for what is none. Dates stay text."""
    try:
        # TOML allows underscores between digits: https://toml.io/en/v1.0.0#float
        return _tree(tomllib.loads(text, parse_float=lambda found: _number(found.replace("_", ""))), start, 1)
    except tomllib.TOMLDecodeError as error:
        said, at = str(error), start
        if match := _AT.search(said):
            said, at = said[: match.start()], Mark(start.file, int(match["line"]), int(match["column"]))
        refuse(at, f"this is not TOML: {one_line(said)}")
    except RecursionError:
        refuse(start, f"nested deeper than {MAX_DEPTH} levels")


def json_scalar(value: Any) -> Scalar:
    """Return a single value as a config holds it: what JSON cannot hold stays text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(str(value)) if value.bit_length() < 1 << 10 else "a number of more than 300 digits"
    return value if value is None or isinstance(value, bool | float | str) else str(value)


def _number(text: str) -> Scalar:
    try:
        return scalar_of(text)
    except ValueError:  # too large for the reports; it stays text, as in YAML
        return text


class _DuplicateKeyError(Exception):
    """Two values under one key: JSON readers differ in which one they take."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(key)
        found[key] = value
    return found


def _tree(value: Any, mark: Mark, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        return Node({key: _tree(child, mark, depth + 1) for key, child in value.items()}, mark)
    if isinstance(value, list):
        return Node(tuple(_tree(child, mark, depth + 1) for child in value), mark)
    return Node(json_scalar(value), mark)
