"""The schema as editors need it: they read a spec before its references are resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retspec.spec.validate.fragments import Fragment

_DIALECT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = r"\$\{[^{}]*\}"
_WHOLE = rf"^{_REFERENCE}$"
_DIGITS = r"^[-+]?[0-9]+(_[0-9]+)+$"
"""`1_000_000`: an integer here, text to a reader of YAML 1.2 alone."""

_SCHEMAS = frozenset({"items", "additionalProperties", "then", "else"})
_LISTS = frozenset({"allOf", "items"})
_TABLES = frozenset({"properties", "definitions"})


def publish(schema: Fragment) -> Fragment:
    """Return a schema that takes a reference wherever `load` would put a value."""
    opened = {key: _opened_below(key, value) for key, value in schema.items()}
    return {"$schema": _DIALECT, "title": "retspec spec", **opened}


def _opened_below(keyword: str, value: Any) -> Any:
    """Open the schemas under a keyword, but none that only tells alternatives apart."""
    if keyword in _SCHEMAS and isinstance(value, dict):
        return _opened(value)
    if keyword in _LISTS and isinstance(value, list):
        return [_opened(item) for item in value]
    if keyword in _TABLES:
        return {name: _opened(item) if isinstance(item, dict) else item for name, item in value.items()}
    return value


def _opened(fragment: Fragment) -> Fragment:
    opened = {key: _opened_below(key, value) for key, value in fragment.items()}
    for keyword in ("enum", "format"):
        if keyword in opened:
            return _opened_keyword(opened, keyword)
    if "type" in opened:
        return _opened_type(opened)
    if "pattern" in opened:  # of an alternative that is text already
        return {**opened, "pattern": f"{opened['pattern']}|{_REFERENCE}"}
    return opened


def _opened_keyword(fragment: Fragment, keyword: str) -> Fragment:
    reference = {"type": "string", "pattern": _WHOLE}
    allowed = {"if": reference, "then": {}, "else": {keyword: fragment.pop(keyword)}}
    return {**fragment, "allOf": [allowed]} if "if" in fragment else {**fragment, **allowed}


def _opened_type(fragment: Fragment) -> Fragment:
    kinds = [fragment["type"]] if isinstance(fragment["type"], str) else fragment["type"]
    if "string" not in kinds:
        spellings = [_WHOLE, _DIGITS] if {"integer", "number"} & set(kinds) else [_WHOLE]
        return {**fragment, "type": [*kinds, "string"], "pattern": "|".join(spellings)}
    if "pattern" in fragment:
        return {**fragment, "pattern": f"{fragment['pattern']}|{_REFERENCE}"}
    return fragment
