"""Where a spec does not fit the schema: the errors of the JSON Schema validator as plain records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from retspec.spec.document import Place

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Fault:
    """One keyword of the schema that a value does not satisfy."""

    place: Place
    keyword: str
    expected: Any
    """The value of the keyword."""
    value: Any
    schema: dict[str, Any]
    """The fragment that holds the keyword."""
    in_key: bool
    """Whether `value` is a key of the mapping at `place`."""
    message: str
    """The validator's own words."""


def faults(schema: dict[str, Any], data: Any) -> Iterator[Fault]:
    """Yield every fault of the data."""
    for error in _VALIDATOR(schema, format_checker=_FORMATS).iter_errors(data):
        yield Fault(
            place=tuple(error.absolute_path),
            keyword=str(error.validator),
            expected=error.validator_value,
            value=error.instance,
            schema=error.schema if isinstance(error.schema, dict) else {},
            in_key="propertyNames" in error.relative_schema_path,
            message=" ".join(error.message.split()),
        )


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    r"""Match as ECMA-262 does, so that editors agree: `$` is the very end, `\w` is ASCII."""
    exact = re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII)
    if isinstance(instance, str) and not exact.search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_VALIDATOR: Any = extend(Draft7Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
_FORMATS = FormatChecker(["date"])
