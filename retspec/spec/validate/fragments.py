"""Annotations to pieces of JSON Schema, in the dialect that editors know: draft-07, closed, no `anyOf`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, inspect

from retspec.errors import PluginError

if TYPE_CHECKING:
    from retspec.plugins.signatures import Argument

Fragment = dict[str, Any]

_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_OUTSIDE = frozenset({"type", "title", "description", "examples", "default"})
"""Keywords of an alternative that say nothing about which values it takes, or are merged by themselves."""


class Fragments:
    """Makes fragments and gathers the definitions that they refer to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Fragment] = {}
        self._made: dict[Any, Fragment] = {}

    def of(self, annotation: Any, owner: str) -> Fragment:
        """Return the fragment of an annotation, one object for all that carry the same; it is never changed.

        owner: what carries the annotation, for the `PluginError` raised when JSON has nothing like it.
        """
        if annotation not in self._made:
            self._made[annotation] = self._make(annotation, owner)
        return self._made[annotation]

    def _make(self, annotation: Any, owner: str) -> Fragment:
        try:
            (schema,), components = msgspec.json.schema_components([annotation], ref_template="#/definitions/{name}")
            self.definitions |= {name: _draft7(component) for name, component in components.items()}
            return _with_integer_keys(_draft7(schema), annotation)
        except (TypeError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise PluginError(f"{owner}: its type cannot be used in a spec: {reason}") from None

    def of_argument(self, argument: Argument, owner: str) -> Fragment:
        """Return the fragment of an argument, with its default."""
        fragment = self.of(argument.type, f"{owner}, argument {argument.name!r}")
        if argument.default is UNSET or argument.default is None or "$ref" in fragment:
            return fragment
        return {**fragment, "default": msgspec.json.decode(msgspec.json.encode(argument.default))}


def takes_mapping(fragment: Fragment) -> bool:
    """Return whether a value of this fragment can be a mapping."""
    return "object" in _kinds(fragment) or not fragment.keys() & {"type", "enum", "const"}


def _kinds(fragment: Fragment) -> list[str]:
    """Return the types that a fragment names."""
    kinds = fragment.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _draft7(schema: Any) -> Any:
    """Rewrite a schema of msgspec, which speaks 2020-12 and knows no closed objects."""
    if isinstance(schema, list):
        return [_draft7(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    fragment = {key: _draft7_below(key, value) for key, value in schema.items()}
    if "prefixItems" in fragment:
        fragment |= {"items": fragment.pop("prefixItems"), "additionalItems": False}
    if "properties" in fragment:
        fragment.setdefault("additionalProperties", False)
    return _merged(fragment) if "anyOf" in fragment else fragment


def _draft7_below(keyword: str, value: Any) -> Any:
    if keyword in {"default", "enum", "examples"}:
        return value
    if keyword == "properties":
        return {name: _draft7(schema) for name, schema in value.items()}
    return _draft7(value)


def _merged(fragment: Fragment) -> Fragment:
    """Turn alternatives into one fragment. `X | None` is X: a spec says None by leaving it out."""
    branches = [branch for branch in fragment.pop("anyOf") if branch != {"type": "null"}]
    if fragment.get("default", UNSET) is None:
        del fragment["default"]
    if len(branches) == 1:
        return {**branches[0], **fragment}
    kinds = [_kind(branch) for branch in branches]
    if len({"number" if kind == "integer" else kind for kind in kinds}) < len(kinds):
        return _numbers(fragment, branches, kinds)
    return {"type": kinds, **fragment, **_rules(branches, kinds)}


def _numbers(fragment: Fragment, branches: list[Fragment], kinds: list[str]) -> Fragment:
    if sorted(kinds) == ["integer", "number"] and all(branch.keys() <= _OUTSIDE for branch in branches):
        return {"type": "number", **fragment}
    raise TypeError("a union of types that look alike in YAML; which one is meant would be ambiguous")


def _rules(branches: list[Fragment], kinds: list[str]) -> Fragment:
    """Return what holds for each alternative: side by side where that is unambiguous, else under its type."""
    rules = [{key: value for key, value in branch.items() if key not in _OUTSIDE} for branch in branches]
    keywords = [key for rule in rules for key in rule]
    if len(set(keywords)) == len(keywords) and not {"enum", "$ref"} & set(keywords):
        return {key: value for rule in rules for key, value in rule.items()}
    pairs = [(kind, rule) for kind, rule in zip(kinds, rules, strict=True) if rule]
    return {"allOf": [{"if": {"type": kind}, "then": rule} for kind, rule in pairs]}


def _kind(branch: Fragment) -> str:
    if "enum" in branch:
        (kind,) = {_NAMES[type(value)] for value in branch["enum"]}
        return kind
    return str(branch.get("type", "object"))


def _with_integer_keys(fragment: Fragment, annotation: Any) -> Fragment:
    """Say what msgspec leaves out: the keys of a `dict[int, ...]` are digits."""
    if "object" in _kinds(fragment) and _has_integer_keys(inspect.type_info(annotation)):
        return {**fragment, "propertyNames": {"pattern": "^[0-9]+$"}}
    return fragment


def _has_integer_keys(info: inspect.Type) -> bool:
    if isinstance(info, inspect.Metadata):
        return _has_integer_keys(info.type)
    if isinstance(info, inspect.UnionType):
        return any(map(_has_integer_keys, info.types))
    return isinstance(info, inspect.DictType) and isinstance(info.key_type, inspect.IntType)
