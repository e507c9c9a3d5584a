"""The forms of a criterion as they are published: what many checks have in common is said once.

They take what the forms take that `validate` uses. Those lie together, so that a message can list all keys of one;
these lie apart, so that a file with a line per form stays small.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.spec.validate.fragments import Fragment

_LONG, _ANY = "long.", "check."
_ARGUMENTS = frozenset({"properties", "required", "additionalProperties"})
"""What `with` says of the check alone; the rest of it is common to all."""
_JUDGE = "judge"
"""The key of checks whose observations have an interval; there is none in a form of another check."""
_SAID_ELSEWHERE = frozenset({"description", "additionalProperties"})
"""The question is given where the check is named; the allowed keys by name, since a part knows only its own keys."""


def with_common_forms(definitions: dict[str, Fragment], prefix: str) -> dict[str, Fragment]:
    """Return definitions that take the same criteria, in fewer words.

    prefix: what the names of the definitions begin with.
    """
    start = prefix + _ANY
    checks = [name.removeprefix(start) for name in definitions if name.startswith(start)]
    if not checks:
        return definitions
    long_forms = {check: definitions[prefix + _LONG + check] for check in checks}
    return {
        **definitions,
        **_long_forms(long_forms, prefix),
        **{start + check: _any_form(definitions[start + check]) for check in checks},
        f"{prefix}criterion": _criterion(definitions[f"{prefix}criterion"]),
    }


def _long_forms(forms: dict[str, Fragment], prefix: str) -> dict[str, Fragment]:
    """Return a long form per check, and what they refer to: a form per kind of limit, and one common to all."""
    common = _common([*forms.values()])
    made = {f"{prefix}form": common}
    names: dict[str, str] = {}
    for check, form in forms.items():
        kind = {**_kind(form, common), "allOf": [_reference(f"{prefix}form")]}
        name = names.setdefault(json.dumps(kind, sort_keys=True), f"{prefix}form.{len(names) + 1}")
        own = {"check": {"const": check}, "with": _arguments(form)}
        made |= {name: kind, prefix + _LONG + check: {"allOf": [_reference(name)], "properties": own}}
    return made


def _common(forms: list[Fragment]) -> Fragment:
    """Return what all forms have in common."""
    first = forms[0]
    alike = {key: value for key, value in first.items() if all(form.get(key) == value for form in forms)}
    properties = first["properties"]
    shared = {key for key in properties if all(form["properties"][key] == properties[key] for form in forms)}
    return {
        **{key: value for key, value in alike.items() if key not in _SAID_ELSEWHERE},
        "properties": {
            **{key: value for key, value in properties.items() if key in shared},
            "warn": {"description": properties["warn"]["description"]},
            "with": {key: value for key, value in properties["with"].items() if key not in _ARGUMENTS},
        },
        "propertyNames": {"enum": [*dict.fromkeys(name for form in forms for name in form["properties"])]},
    }


def _kind(form: Fragment, common: Fragment) -> Fragment:
    """Return what a form says beyond the common one, but for its arguments."""
    rest = {key: value for key, value in form.items() if key not in {*common, *_SAID_ELSEWHERE}}
    properties = {key: value for key, value in form["properties"].items() if key not in common["properties"]}
    warn = {key: value for key, value in form["properties"]["warn"].items() if key != "description"}
    judged = {} if _JUDGE in properties else {_JUDGE: False}
    return {**rest, "properties": {**properties, **judged, "warn": warn}}


def _arguments(form: Fragment) -> Fragment:
    arguments = form["properties"]["with"]
    return {key: value for key, value in arguments.items() if key in _ARGUMENTS and value != []}


def _any_form(form: Fragment) -> Fragment:
    """Drop from the form of a key that is a check's name what the long form of that check already says."""
    if "then" in form:
        return {**form, "then": form["then"]["allOf"][0]}
    return {key: value for key, value in form.items() if key != "properties"}


def _criterion(form: Fragment) -> Fragment:
    """Ask once whether there is the key `check`, not once per check."""
    ways = [{**way, "if": {"properties": way["if"]["properties"]}} for way in form["allOf"]]
    rest = {key: value for key, value in form.items() if key != "allOf"}
    return {**rest, "if": {"type": "object", "required": ["check"]}, "then": {"allOf": ways}}


def _reference(name: str) -> Fragment:
    return {"$ref": f"#/definitions/{name}"}
