"""Reading the configuration of a saved adapter: what it says is checked before peft hears of it."""

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
"""Bytes; the longest lists of layers that peft writes have some hundred thousand."""
_LONGEST_KEY = 100
_LONGEST_INTEGER = 18
"""Digits; what needs more than 64 bits makes msgspec 0.19 fail in ways of its own."""


def read_settings(file: File) -> dict[str, Any]:
    """Return what peft may know of an adapter's configuration, by key.

    Raises SubjectError for what is no such configuration, for a type of adapter that is not loaded, a key that it does
    not have, and a value of another type.
    """
    said = _parsed(file)
    name = said.get("peft_type")
    if not isinstance(name, str) or name not in KINDS:
        found = quoted(name) if isinstance(name, str) else "no name"
        raise file.refused(f"is of no type that is loaded: its peft_type is {found}; {', '.join(KINDS)} are loaded")
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
    except ValueError as error:  # of the format, the encoding, and of the four hooks
        raise file.refused(f"is no sound JSON: {error}") from error
    if not isinstance(said, dict):
        raise file.refused(f"holds a {type(said).__name__}, not the keys of a configuration")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; raises ValueError for a key that it has twice, of which readers take either."""
    (key, times), *_ = Counter(key for key, _ in pairs).most_common(1) or [("", 0)]
    if times > 1:
        raise ValueError(f"it says {quoted(key)} more than once")
    return dict(pairs)


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{quoted(text)} is no finite number")
    return number


def _small(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"{quoted(text)} is no number that an adapter has")
    return int(text)


def _complaint(said: dict[str, Any], kind: Kind, name: str) -> str | None:
    """Return what is wrong with the first key that may not say what it says."""
    schema = kind.schema
    for key, value in said.items():
        if key not in schema:
            if _says_something(value):
                return _unknown(key, kind, name)
            continue
        try:
            msgspec.convert(value, schema[key])
        except msgspec.ValidationError as error:
            return f"says {quoted(key)} as nothing that a {name} adapter has there: {error}"
    return None


def _says_something(value: Any) -> bool:
    """Whether a key that is not known matters: a newer peft writes what it does not use as null, false or nothing."""
    return not (value is None or value is False or value in ([], {}, ""))


def _unknown(key: str, kind: Kind, name: str) -> str:
    if reason := kind.reasons.get(key):
        return f"says {quoted(key)}, which is never given to peft: {reason}; it may be null, false or empty"
    near = did_you_mean(key[:_LONGEST_KEY], kind.schema)
    return f"says {quoted(key)}, which is no known key of a {name} adapter: {listing([*kind.schema])} are{near}"
