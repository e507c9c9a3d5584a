"""The manual page of one check, made from what the check declares: its docstring, signature and decorator."""

from __future__ import annotations

import json
from textwrap import fill, indent
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import click
from msgspec import Meta, to_builtins

from retspec.records import RECIPE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check
    from retspec.plugins.signatures import Argument

WIDTH = 96
MARGIN = "  "


def manual(check: Check, catalog: Catalog) -> str:
    """Return the manual page of a check."""
    sections = {
        f"{check.name} ({check.family})": check.doc,
        "Limit": _limit(check),
        "Arguments, under `with:`": "\n".join(_arguments(check, catalog)) or "none",
        "When it is missed": fill(check.advice, WIDTH),
        "Measurements": "\n".join(_measurements(check, catalog)) or "none",
    }
    return "\n\n".join(f"{click.style(title, bold=True)}\n{indent(text, MARGIN)}" for title, text in sections.items())


def _limit(check: Check) -> str:
    unit = f", in {check.unit}" if check.unit else ""
    default = "the spec must give it" if check.default_limit is None else f"default {_yaml(check.default_limit)}"
    lines = [f"{check.direction.value} ({type_name(check.value_type)}{unit}); {default}"]
    if check.shorthand:
        lines.append(f"`{check.name}: VALUE` sets the argument `{check.shorthand}`, not the limit")
    return "\n".join(lines)


def _arguments(check: Check, catalog: Catalog) -> Iterator[str]:
    """Yield what `with:` may hold, the check's own arguments last, each with whose it is."""
    for name in catalog.measurements_of(check):
        for argument in catalog.measurements[name].arguments.values():
            if argument.name not in check.arguments:
                yield _argument(argument, f" (of {name})")
    for argument in check.arguments.values():
        yield _argument(argument, "")


def _argument(argument: Argument, owner: str) -> str:
    head = f"{argument.name}: {type_name(argument.type)}, {_default(argument)}{owner}"
    return "\n".join([head, *(f"{MARGIN}{text}" for text in _descriptions(argument.type))])


def _default(argument: Argument) -> str:
    """Return what an argument is when the spec gives none; the recipe stands in where it has the name."""
    if not argument.is_required:
        return f"default {_yaml(argument.default)}"
    return f"default `train.{argument.name}`" if argument.name in RECIPE_KEYS else "required"


def _descriptions(hint: Any) -> Iterator[str]:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Meta) and extra.description:
            yield extra.description


def _measurements(check: Check, catalog: Catalog) -> Iterator[str]:
    for name in catalog.measurements_of(check):
        measurement = catalog.measurements[name]
        yield f"{name} ({measurement.cost.name.lower()}): {measurement.doc.partition(chr(10))[0]}"


def _yaml(value: Any) -> str:
    """Return a value as it would stand in a spec; JSON is YAML."""
    return json.dumps(to_builtins(value))


def type_name(hint: Any) -> str:
    """Return a type in words that suit YAML: `int`, `list of str`, `"sum" or "mean"`, `float or null`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return type_name(parts[0])
    if origin is Literal:
        return " or ".join(map(_yaml, parts))
    if origin in {Union, UnionType}:
        return " or ".join(map(type_name, parts))
    if hint is NoneType:
        return "null"
    if parts:
        return _collection_name(origin, [part for part in parts if part is not Ellipsis])
    return getattr(hint, "__name__", str(hint))


def _collection_name(origin: Any, parts: Any) -> str:
    names = [type_name(part) for part in parts]
    return f"map of {names[0]} to {names[1]}" if issubclass(origin, dict) else f"list of {', '.join(names)}"
