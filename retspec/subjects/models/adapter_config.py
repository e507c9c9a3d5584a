"""Read the configuration of a saved adapter, and check it before peft gets it."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.characters import quoted
from retspec.errors import did_you_mean
from retspec.subjects.models.adapter_keys import KINDS
from retspec.text.wording import listing

if TYPE_CHECKING:
    from retspec.subjects.checkpoints import File
    from retspec.subjects.models.adapter_keys import Kind

_LARGEST = 1 << 22
"""Bytes; the longest lists of layers that peft writes have about 100,000."""
_LONGEST_KEY = 100
_LONGEST_INTEGER = 18
"""Digits; msgspec 0.19 raises unexpected errors for integers of more than 64 bits."""


def read_settings(file: File) -> dict[str, Any]:
    """Return the keys of an adapter's configuration that are passed to peft, with their values.

    Raises SubjectError for a file that is not such a configuration, a type of adapter that is not supported, an unknown
    key, or a value of the wrong type.
    """
    said = _parsed(file)
    name = said.get("peft_type")
    if not isinstance(name, str) or name not in KINDS:
        found = quoted(name) if isinstance(name, str) else "no name"
        raise file.refused(f"is of a type that is not loaded: its peft_type is {found}; {', '.join(KINDS)} are loaded")
    kind = KINDS[name]
    if complaint := _complaint(said, kind, name):
        raise file.refused(complaint)
    return {key: value for key, value in said.items() if key in kind.reaching_peft}


def _parsed(file: File) -> dict[str, Any]:
    if file.size > _LARGEST:
        raise file.refused(f"has {file.size:,} bytes; the configuration of an adapter has {_LARGEST:,} at most")
    with file.path.open("rb") as stream:
        content = stream.read(_LARGEST)
    file.require_unchanged()
    try:
        said = json.loads(
            content, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_small
        )
    except RecursionError as error:
        raise file.refused("is nested too deep for the configuration of an adapter") from error
    except ValueError as error:  # from the parser, the encoding, and the four hooks
        raise file.refused(f"is not valid JSON: {error}") from error
    if not isinstance(said, dict):
        raise file.refused(f"holds a {type(said).__name__}, not the keys of a configuration")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; raises ValueError for a repeated key, of which parsers keep either value."""
    (key, times), *_ = Counter(key for key, _ in pairs).most_common(1) or [("", 0)]
    if times > 1:
        raise ValueError(f"it says {quoted(key)} more than once")
    return dict(pairs)


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{quoted(text)} is not a finite number")
    return number


def _small(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"{quoted(text)} is not a number that an adapter has")
    return int(text)


def _complaint(said: dict[str, Any], kind: Kind, name: str) -> str | None:
    """Return what is wrong with the first key that is unknown or has a wrong value, or None."""
    schema = kind.schema
    for key, value in said.items():
        if key not in schema:
            if _says_something(value):
                return _unknown(key, kind, name)
            continue
        try:
            msgspec.convert(value, schema[key])
        except msgspec.ValidationError as error:
            return f"has a wrong value for {quoted(key)} of a {name} adapter: {error}"
    return None


def _says_something(value: Any) -> bool:
    """Whether the value of an unknown key matters: a newer peft writes unused keys as null, false or empty."""
    return not (value is None or value is False or value in ([], {}, ""))


def _unknown(key: str, kind: Kind, name: str) -> str:
    if reason := kind.reasons.get(key):
        return f"says {quoted(key)}, which is never given to peft: {reason}; it may be null, false or empty"
    near = did_you_mean(key[:_LONGEST_KEY], kind.schema)
    return f"says {quoted(key)}, which is not a known key of a {name} adapter: {listing([*kind.schema])} are{near}"
