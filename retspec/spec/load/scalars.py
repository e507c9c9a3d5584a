"""Plain scalars by the core schema of YAML 1.2, so that a spec means here what it means in an editor.

PyYAML by itself follows YAML 1.1, where `1e-5` is text, `on` is true and `1:30` is ninety. One spelling of
1.1 is kept: `1_000_000` is an integer.
"""

from __future__ import annotations

import math
import re

Scalar = bool | int | float | str | None

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {spelling: word == "true" for word in ("true", "false") for spelling in (word, word.title(), word.upper())}
_DECIMAL = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_LONGEST = 80
"""Characters of an integer that is still worth converting; Python refuses thousands of digits."""


def scalar_of(text: str) -> Scalar:
    """Return what an unquoted scalar means; `ValueError` for a number that nothing compares with."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _DECIMAL.fullmatch(text) or _BASED.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that anything can be held against; give a finite one")
    return text


def _integer(text: str) -> int:
    number = (
        _LARGEST + 1 if len(text) > _LONGEST else int(text, 0 if text.startswith("0") and text[1:2] in "ox" else 10)
    )
    if not _SMALLEST <= number <= _LARGEST:
        raise ValueError("the integer is too large; it must fit into 64 bits")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:_LONGEST]} is too large; give a finite one")
    return number
