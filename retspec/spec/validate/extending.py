"""The schema of a file that extends another, for editors: they see that file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retspec.spec.validate.fragments import Fragment

_REFERENCE = "#/definitions/"
EXTENDING = "extending."
"""What the names of the definitions of the second schema begin with."""
_EXTENDS = "extends"
_HEAD = ("retspec", _EXTENDS)
"""What every such file holds itself."""
_NEEDS = frozenset({"required", "minProperties", "dependencies", "default"})
"""Keywords that ask for what the other file may hold, or say what holds where neither does."""
_CONDITION = frozenset({"if", "then", "else"})
_SUBSCHEMAS = frozenset({"then", "else", "additionalProperties"})


def with_extending(schema: Fragment) -> Fragment:
    """Return the schema of specs with a second one beside it, for files with the key `extends`.

    There nothing is required but the version, and null removes a key.
    """
    definitions, properties = schema["definitions"], schema["properties"]
    loosened = {f"{EXTENDING}{name}": _brief(_loosened(definition)) for name, definition in definitions.items()}
    return {
        "type": "object",
        "if": {"required": [_EXTENDS]},
        "then": {
            "properties": {name: item if name in _HEAD else _loosened(item) for name, item in properties.items()},
            "additionalProperties": False,
            "required": [*_HEAD],
        },
        "else": {key: value for key, value in schema.items() if key not in {"type", "definitions"}},
        "definitions": definitions | loosened,
    }


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
    """Loosen the value of a keyword; items of a list are replaced together, so that none can be removed."""
    if keyword == "$ref":
        return value.replace(_REFERENCE, f"{_REFERENCE}{EXTENDING}")
    if keyword in _SUBSCHEMAS and isinstance(value, dict):
        return _loosened(value)
    if keyword == "allOf":
        return [_loosened(item) for item in value]
    if keyword == "properties":
        return {name: _loosened(item) if isinstance(item, dict) else item for name, item in value.items()}
    return value
