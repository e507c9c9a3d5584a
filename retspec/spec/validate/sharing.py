"""A schema that says each thing once: what several places have in common becomes a definition."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.spec.validate.fragments import Fragment

_SCHEMAS = frozenset({"items", "additionalProperties", "additionalItems", "if", "then", "else", "not", "propertyNames"})
"""Keywords of draft-07 that hold a schema."""
_LISTS = frozenset({"allOf", "items"})
_TABLES = frozenset({"properties", "definitions"})
_REMARKS = frozenset({"title", "description", "default", "examples"})
"""Keywords that a validator ignores."""
_REFERENCE = 45
"""Characters of JSON that a reference takes, and the name of a definition."""
_PREFIX = "shared."
_canonical = json.JSONEncoder(sort_keys=True).encode
"""Equal parts are equal texts. `json.dumps` would make an encoder for each of thousands."""


def shared(schema: Fragment) -> Fragment:
    """Return a schema that takes the same documents, with repeated parts as definitions with descriptive names.

    A part is named after the key that it is first seen under. A part that differs only in what it says to a
    reader, such as its description, keeps that beside the reference, which is then under `allOf`: draft-07 ignores what
    is beside `$ref` (https://json-schema.org/draft-07/json-schema-core#rfc.section.8.3).
    """
    return _Sharing(schema).schema()


class _Sharing:
    def __init__(self, schema: Fragment) -> None:
        self._schema = schema
        self._counts: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._made: dict[str, Fragment] = {}
        self._count(schema)

    def schema(self) -> Fragment:
        definitions = {name: self._rebuilt(part, name) for name, part in self._schema["definitions"].items()}
        rest = self._rebuilt({key: value for key, value in self._schema.items() if key != "definitions"}, "")
        return {**rest, "definitions": definitions | self._made}

    def _count(self, part: Fragment) -> None:
        remarks, rules = _split(part)
        pieces = [part, rules, *_pieces(part)] if remarks else [part, *_pieces(part)]
        self._counts.update({_canonical(piece) for piece in pieces})

        def down(inner: Any, _key: str) -> Any:
            if isinstance(inner, dict):
                self._count(inner)
            return inner

        for word, value in part.items():
            _mapped(word, value, "", down)

    def _replaced(self, part: Any, key: str) -> Any:
        if not isinstance(part, dict) or "$ref" in part:
            return part
        if self._is_repeated(part):
            return self._reference(part, key)
        return self._beside_rules(part, key) or self._rebuilt(part, key)

    def _beside_rules(self, part: Fragment, key: str) -> Fragment | None:
        """Return the remarks of a part beside a reference to its rules, None if those are not shared."""
        remarks, rules = _split(part)
        if not remarks or "allOf" in part or not self._is_repeated(rules):
            return None
        return {**remarks, "allOf": [self._reference(rules, key)]}

    def _is_repeated(self, part: Fragment) -> bool:
        """Whether references to a definition are shorter than the part in all of its places."""
        text = _canonical(part)
        number = self._counts[text]
        return number * len(text) > len(text) + (number + 1) * _REFERENCE

    def _reference(self, part: Fragment, key: str) -> Fragment:
        text = _canonical(part)
        if text not in self._names:
            name = self._names[text] = _free(f"{_PREFIX}{key or 'part'}", self._made)
            self._made[name] = {}  # its place, before that of what is inside it
            self._made[name] = self._beside_rules(part, key) or self._rebuilt(part, key)
        return {"$ref": f"#/definitions/{self._names[text]}"}

    def _rebuilt(self, part: Fragment, key: str) -> Fragment:
        for piece in _pieces(part):
            if len(piece) < len(part) and self._is_repeated(piece):
                rest = {word: value for word, value in part.items() if word not in piece}
                part = {**rest, "allOf": [*part.get("allOf", []), piece]}
        return {word: _mapped(word, value, key, self._replaced) for word, value in part.items()}


def _pieces(part: Fragment) -> list[Fragment]:
    """Return what of a part can be a part by itself: its condition, and what kind of scalar it takes.

    The kind of a mapping or a list stays where it is: editors lay out what they insert by it.
    """
    words = [("if", "then", "else")]
    if part.get("type", ["object"])[0] not in {"object", "array"}:
        words.append(("type", "pattern", "patternErrorMessage"))
    pieces = [{word: part[word] for word in group if word in part} for group in words]
    return [piece for piece in pieces if piece]


def _split(part: Fragment) -> tuple[Fragment, Fragment]:
    """Return what a part says to a reader, and what it says to a validator."""
    remarks = {key: value for key, value in part.items() if key in _REMARKS}
    return remarks, {key: value for key, value in part.items() if key not in _REMARKS}


def _mapped(word: str, value: Any, key: str, function: Callable[[Any, str], Any]) -> Any:
    """Return the value of a keyword with a function applied to each schema in it, and to the key that leads there."""
    if word in _TABLES:
        return {name: function(part, name) for name, part in value.items()}
    if word in _LISTS and isinstance(value, list):
        return [function(part, key) for part in value]
    return function(value, key) if word in _SCHEMAS else value


def _free(name: str, taken: dict[str, Fragment]) -> str:
    """Return a name that is not taken: the name itself, or with a number."""
    number = 1
    while (found := name if number == 1 else f"{name}.{number}") in taken:
        number += 1
    return found
