"""The schema of a file that extends another, for editors: they see that file alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retspec.spec.validate.fragments import Fragment

_REFERENCE = "#/definitions/"
_PREFIX = "extending."
_LONG = "long."
_CRITERION = "criterion"
_EXTENDS = "extends"
_HEAD = ("retspec", _EXTENDS)
"""What every such file holds itself."""
_NEEDS = frozenset({"required", "minProperties", "dependencies"})
"""Keywords that ask for what the other file may hold."""
_CONDITION = frozenset({"if", "then", "else"})
_SUBSCHEMAS = frozenset({"then", "else", "additionalProperties"})


def with_extending(schema: Fragment) -> Fragment:
    """Return the schema of specs with a second one beside it, for files with the key `extends`.

    There nothing is required but the version, and null removes a key. Both refer to one long form for each check, which
    takes null and requires nothing; what a spec requires of it is said where the spec refers to it.
    """
    definitions, properties = schema["definitions"], schema["properties"]
    long = {name: form for name, form in definitions.items() if name.startswith(_LONG)}
    by_name = [_brief_choice(choice) for choice in definitions[_CRITERION]["allOf"]]
    short = {name: form for name, form in definitions.items() if name not in long}
    short[_CRITERION] = {**short[_CRITERION], "allOf": [{"$ref": f"{_REFERENCE}{_LONG}{_CRITERION}"}]}
    both = {name: _loosened(form) for name, form in long.items()} | {
        f"{_LONG}{_CRITERION}": {"if": {"type": "object"}, "then": {"allOf": by_name}}
    }
    return {
        "type": "object",
        "if": {"required": [_EXTENDS]},
        "then": {
            "properties": {name: item if name in _HEAD else _loosened(item) for name, item in properties.items()},
            "additionalProperties": False,
            "required": [*_HEAD],
        },
        "else": {key: value for key, value in schema.items() if key not in {"type", "definitions"}},
        "definitions": {
            **{name: _demanding(form, long) for name, form in short.items()},
            _CRITERION: {**short[_CRITERION], "allOf": [*short[_CRITERION]["allOf"], *_demands_by_name(long)]},
            **both,
            **{f"{_PREFIX}{name}": _brief(_loosened(form)) for name, form in short.items()},
        },
    }


def _demanding(fragment: Any, long: dict[str, Fragment]) -> Any:
    """Return a schema in which each reference to a long form also says what that form requires."""
    if isinstance(fragment, list):
        return [_demanding(item, long) for item in fragment]
    if not isinstance(fragment, dict):
        return fragment
    name = str(fragment.get("$ref", "")).removeprefix(_REFERENCE)
    if name in long and (demands := _demands(long[name])):
        return {"allOf": [fragment, demands]}
    return {key: _demanding(value, long) for key, value in fragment.items()}


def _brief_choice(choice: Fragment) -> Fragment:
    """Return one alternative of a criterion that names its check, without the type, which is asked for once."""
    return {**choice, "if": {key: value for key, value in choice["if"].items() if key != "type"}}


def _demands_by_name(long: dict[str, Fragment]) -> list[Fragment]:
    """Return what the criteria that name their check require, the checks that require the same together."""
    checks: dict[str, list[str]] = {}
    for name, form in long.items():
        checks.setdefault(json.dumps(_demands(form)), []).append(name.removeprefix(_LONG))
    return [
        {"if": {"properties": {"check": {"enum": names}}}, "then": json.loads(demands)}
        for demands, names in checks.items()
    ]


def _demands(form: Fragment) -> Fragment:
    demands: Fragment = {key: form[key] for key in ("if", "then", "else") if key in form}
    if required := form["properties"]["with"]["required"]:
        demands["properties"] = {"with": {"required": required}}
    return demands


def _brief(fragment: Fragment) -> Fragment:
    """Return a schema with the first paragraph of its description: the whole of it is in the other schema."""
    if "description" not in fragment:
        return fragment
    return {**fragment, "description": fragment["description"].partition("\n\n")[0]}


def _loosened(fragment: Fragment) -> Fragment:
    """Return a schema that also takes a part of what this one takes, and null."""
    # What depends on which keys are there depends on those of the other file, too.
    dropped = _NEEDS | _CONDITION if {*fragment.get("if", ())} == {"required"} else _NEEDS
    loosened = {key: _loosened_below(key, value) for key, value in fragment.items() if key not in dropped}
    if "type" in loosened:
        kinds = loosened["type"]
        loosened["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    if "enum" in loosened:
        loosened["enum"] = [*loosened["enum"], None]
    return loosened


def _loosened_below(keyword: str, value: Any) -> Any:
    """Loosen what stands under a keyword; items of a list are replaced together, so that none can be removed."""
    if keyword == "$ref":
        of_both = value.startswith(f"{_REFERENCE}{_LONG}")
        return value if of_both else value.replace(_REFERENCE, f"{_REFERENCE}{_PREFIX}")
    if keyword in _SUBSCHEMAS and isinstance(value, dict):
        return _loosened(value)
    if keyword == "allOf":
        return [_loosened(item) for item in value]
    if keyword == "properties":
        return {name: _loosened(item) if isinstance(item, dict) else item for name, item in value.items()}
    return value
