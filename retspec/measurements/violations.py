"""The measurement `violations`: where the training config breaks the user's JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.facts import Violation, Violations
from retspec.plugin import Cost, SubjectError, measurement
from retspec.regular_files import read_regular
from retspec.subjects.config_paths import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema import SchemaError, ValidationError

    from retspec.records import Config

_MOST = 16 << 20
"""Bytes of a schema: far more than any has."""
_APPLYING = frozenset(
    {"properties", "patternProperties", "items", "prefixItems", "allOf", "anyOf", "oneOf", "not", "if"}
    | {"$ref", "$dynamicRef", "dependentSchemas"}
)
"""Keywords that only apply other schemas: https://json-schema.org/draft/2020-12/json-schema-core"""
_WHOLE = frozenset({"const", "enum", "uniqueItems", "contains", "not", "oneOf", "if"})
"""Keywords that say nothing of a section in which a value is not known."""


class _Unknown(str):
    """What is written in place of a value that is not known."""

    __slots__ = ("place",)
    place: str


@measurement(cost=Cost.STATIC, needs_torch=False)
def violations(
    config: Config,
    *,
    schema: Annotated[
        str | dict[str, Any],
        Meta(
            description="A JSON Schema: a JSON file, relative to this spec, or the schema itself.",
            examples=["train.schema.json"],
        ),
    ],
) -> Violations:
    """Validate the config against a JSON Schema.

    References must stay within the schema: nothing is ever fetched.

    Raises SubjectError for a schema that is missing, invalid, or refers to another one.
    """
    # Here, since every worker imports this file, and few validate a config.
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    rules = _read(schema, config) if isinstance(schema, str) else schema
    validator: Any = validator_for(rules, default=Draft202012Validator)
    applied: list[str] = []
    unknown: dict[str, None] = {}
    data = _marked(config.data, config.unresolved)
    try:
        validator.check_schema(rules)
        errors = [*_counting(validator, applied, unknown, data)(rules, registry=Registry()).iter_errors(data)]
    except SchemaError as error:
        raise SubjectError(f"the schema is wrong at {error.json_path}: {_words(error)}", path="checks") from None
    except RecursionError:
        raise SubjectError("the schema refers to itself without end, or is nested too deep", path="checks") from None
    except Unresolvable as error:
        raise SubjectError(f"the schema refers to {error.ref!r}, which is not in it", path="checks") from None
    return Violations(
        rules=len(applied),
        violations=tuple(map(_violation, errors)),
        unresolved=tuple(f"config.{place} {config.unresolved[place]}" for place in unknown),
    )


def _marked(value: Any, unresolved: Mapping[str, str], place: str = "") -> Any:
    """Return the data of a config in which a value that is not known is one of `_Unknown`."""
    if place in unresolved:
        made = _Unknown(value)
        made.place = place
        return made
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    made_of = {key: _marked(entry, unresolved, f"{place}.{key}" if place else str(key)) for key, entry in entries}
    return [*made_of.values()] if isinstance(value, list) else made_of if isinstance(value, dict) else value


def _unknown_in(value: Any, *, within: bool) -> Iterator[str]:
    """Yield the place of a value that is not known, and of those in it if asked for."""
    if isinstance(value, _Unknown):
        yield value.place
    elif within and isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _unknown_in(entry, within=True)


def _read(schema: str, config: Config) -> dict[str, Any]:
    path = find(schema, config.folders)
    if not path:
        raise SubjectError(f"there is no schema {schema!r}; looked in {', '.join(config.folders)}", path="checks")
    try:
        content = read_regular(Path(path), _MOST)
        if content is None:
            raise SubjectError(f"{path} is larger than {_MOST >> 20} MiB; is this a schema?", path="checks")
        rules = json.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SubjectError(
            f"{path} cannot be read as JSON: {error}; write a schema in YAML into the spec itself", path="checks"
        ) from None
    if not isinstance(rules, dict):
        raise SubjectError(f"{path} is not a schema: a schema is a mapping", path="checks")
    return rules


def _counting(base: Any, applied: list[str], unknown: dict[str, None], whole: Any) -> Any:
    """Return a validator class that notes each rule that a value could break, and each value that is not known.

    applied: gets the keyword of such a rule. unknown: gets the place of such a value, of which no rule is tried.
    """
    from jsonschema.validators import extend

    def counted(keyword: str, rule: Callable[..., Any]) -> Callable[..., Iterator[ValidationError]]:
        def applying(validator: Any, expected: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
            if places := dict.fromkeys(_unknown_in(value, within=keyword in _WHOLE)):
                unknown.update(places)
                return
            if keyword not in _APPLYING and (keyword != "type" or value is not whole):  # a config is always a mapping
                applied.append(keyword)
            yield from rule(validator, expected, value, schema) or ()

        return applying

    rules = {name: rule for name, rule in base.VALIDATORS.items() if name not in _APPLYING or name in _WHOLE}
    return extend(base, {name: counted(name, rule) for name, rule in rules.items()})  # type: ignore[no-untyped-call]


def _violation(error: ValidationError) -> Violation:
    return Violation(place=".".join(map(str, ("config", *error.absolute_path))), message=_words(error))


def _words(error: ValidationError | SchemaError) -> str:
    """Return the message of an error, without a whole section of the config in it."""
    is_section = isinstance(error.instance, dict | list)
    return error.message.replace(repr(error.instance), "it") if is_section else error.message
