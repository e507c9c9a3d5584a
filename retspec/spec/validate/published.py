"""The schema as editors need it: they read a spec before its references are resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.spec.validate.extending import EXTENDING
from retspec.spec.validate.forms import with_common_forms
from retspec.spec.validate.sharing import shared

if TYPE_CHECKING:
    from retspec.spec.validate.fragments import Fragment

_DIALECT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = r"\$\{[^{}]*\}"
_WHOLE = rf"^{_REFERENCE}$"
_DIGITS = r"^[-+]?[0-9]+(_[0-9]+)+$"
"""`1_000_000`: an integer here, text to a reader of YAML 1.2 alone."""

_MESSAGE = "patternErrorMessage"
"""Editors show it in place of the pattern: https://code.visualstudio.com/docs/languages/json"""
_SCHEMAS = frozenset({"items", "additionalProperties", "then", "else"})
_LISTS = frozenset({"allOf", "items"})
_TABLES = frozenset({"properties", "definitions"})


def publish(schema: Fragment) -> Fragment:
    """Return a schema that takes a reference wherever `load` would put a value, each repeated part of it once.

    Editors look for what they offer beside a key, not under conditions; so the values are there once more, as examples.
    """
    opened = {key: _opened_below(key, value) for key, value in schema.items()}
    definitions = with_common_forms(with_common_forms(opened["definitions"], ""), EXTENDING)
    return {"$schema": _DIALECT, "title": "retspec spec", **shared({**opened, "definitions": definitions})}


def _opened_below(keyword: str, value: Any) -> Any:
    """Open the schemas under a keyword, but not one that only distinguishes alternatives."""
    if keyword in _SCHEMAS and isinstance(value, dict):
        return _opened(value)
    if keyword in _LISTS and isinstance(value, list):
        return [_opened(item) for item in value]
    if keyword in _TABLES:
        return {name: _opened(item) if isinstance(item, dict) else item for name, item in value.items()}
    return value


def _opened(fragment: Fragment) -> Fragment:
    opened = {key: _opened_below(key, value) for key, value in fragment.items()}
    if offered := _offered(fragment):
        opened["examples"] = offered
    for keyword in ("enum", "format"):
        if keyword in opened:
            return _opened_keyword(opened, keyword)
    if "type" in opened:
        return _opened_type(opened)
    if "pattern" in opened:  # of an alternative that is text already
        return {**opened, "pattern": f"{opened['pattern']}|{_REFERENCE}"}
    return opened


def _offered(fragment: Fragment) -> list[Any]:
    """Return the values that an editor can complete: those of an enumeration, of a shorthand or one type too."""
    parts = [fragment, *(part.get("then", {}) for part in fragment.get("allOf", ()))]
    values: list[Any] = [value for part in parts for value in part.get("enum", ())]
    if not values and isinstance(shorthand := fragment.get("else"), dict):
        values = _offered(shorthand) or shorthand.get("examples", [])
        if not values and shorthand.get("type") in ("boolean", ["boolean", "null"]):
            return [True, False]
    return [value for value in values if value is not None]


def _opened_keyword(fragment: Fragment, keyword: str) -> Fragment:
    expected = fragment.pop(keyword)
    reference: Fragment = {"type": "string", "pattern": _WHOLE}
    if keyword == "enum" and None in expected:  # without it the values are those of the schema that takes no null
        reference["type"] = ["string", "null"]
        expected = [value for value in expected if value is not None]
    allowed = {"if": reference, "else": {keyword: expected}}
    return {**fragment, "allOf": [allowed]} if "if" in fragment else {**fragment, **allowed}


def _opened_type(fragment: Fragment) -> Fragment:
    kinds = [fragment["type"]] if isinstance(fragment["type"], str) else fragment["type"]
    if "string" not in kinds:
        spellings = [_WHOLE, _DIGITS] if {"integer", "number"} & set(kinds) else [_WHOLE]
        message = f"Expected {' or '.join(kinds)}, or a reference: ${{vars.NAME}}."
        return {**fragment, "type": [*kinds, "string"], "pattern": "|".join(spellings), _MESSAGE: message}
    if "pattern" in fragment:
        return {**fragment, "pattern": f"{fragment['pattern']}|{_REFERENCE}"}
    return fragment
