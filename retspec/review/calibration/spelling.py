"""How a value is written in a spec."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from retspec.spec.load.scalars import scalar_of

_SMALLEST, _LARGEST = -4, 15
"""Powers of ten between which a number is written without an exponent."""
_WORD = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)


def spelled(value: object, like: str = "") -> str:
    """Return a value as YAML on one line; like: the old spelling, whose `_` between thousands are kept up."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:_}" if "_" in like else str(value)
        case float():
            return _number(Decimal(str(value)))
        case Decimal():
            return spelled(int(value), like) if value == value.to_integral() and "_" in like else _number(value)
        case tuple():
            return f"[{', '.join(map(spelled, value))}]"
    return _text(str(value))


def _number(value: Decimal) -> str:
    if not value or _SMALLEST <= value.adjusted() < _LARGEST:
        text = f"{value:f}"
        return text.rstrip("0").removesuffix(".") if "." in text else text
    _, digits, _ = value.normalize().as_tuple()
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' * value.is_signed()}{mantissa}e{value.adjusted()}"


def _text(text: str) -> str:
    """Return a text, in quotes unless it is a word that YAML takes for nothing else."""
    return text if _WORD.fullmatch(text) and scalar_of(text) == text else json.dumps(text)
