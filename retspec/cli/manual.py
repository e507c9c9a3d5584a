"""The manual page of one check, made from what the check declares: its docstring, signature and decorator."""

from __future__ import annotations

import json
import sys
from pathlib import PurePath
from textwrap import fill, indent
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import click
from msgspec import Meta, to_builtins

from retspec.records import RECIPE_KEYS
from retspec.text.fitting import reflowed, wrapped
from retspec.text.relative_paths import from_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check, Measurement
    from retspec.plugins.signatures import Argument

WIDTH = 96
MARGIN = "  "


def manual(check: Check, catalog: Catalog, width: int | None = None) -> str:
    """Return the manual page of a check.

    width: columns of the screen; a narrow one gets shorter lines.
    """
    room = None if width is None else width - len(MARGIN)
    sections = {
        f"{check.name} ({check.family})": reflowed(check.doc, room),
        "Limit": _limit(check),
        "Arguments, under `with:`": "\n".join(_arguments(check, catalog)) or "none",
        "When it is missed": fill(check.advice, min(room or WIDTH, WIDTH), break_long_words=False),
        "Measurements": "\n".join(_measurements(check, catalog)) or "none",
        "File": file_of(check),
    }
    return "\n\n".join(
        f"{click.style(wrapped(title, width), bold=True)}\n{indent(_wrapped(text, room), MARGIN)}"
        for title, text in sections.items()
    )


def _wrapped(text: str, width: int | None) -> str:
    return "\n".join(wrapped(line, width) for line in text.split("\n"))


def _limit(check: Check) -> str:
    unit = f", in {check.unit}" if check.unit else ""
    default = "the spec must give it" if check.default_limit is None else f"default {as_yaml(check.default_limit)}"
    lines = [f"{check.direction.value} ({type_name(check.value_type)}{unit}); {default}"]
    if check.shorthand:
        lines.append(f"`{check.name}: VALUE` sets the argument `{check.shorthand}`, not the limit")
    return "\n".join(lines)


def _arguments(check: Check, catalog: Catalog) -> Iterator[str]:
    """Yield the arguments under `with:`, each with its owner, the check's own last."""
    for name in catalog.measurements_of(check):
        for argument in catalog.measurements[name].arguments.values():
            if argument.name not in check.arguments:
                yield _argument(argument, f" (of {name})")
    for argument in check.arguments.values():
        yield _argument(argument, "")


def _argument(argument: Argument, owner: str) -> str:
    head = f"{argument.name}: {type_name(argument.type)}, {default_of(argument)}{owner}"
    return "\n".join([head, *(f"{MARGIN}{text}" for text in descriptions_of(argument.type))])


def default_of(argument: Argument) -> str:
    """Return the default of an argument: the recipe's key of that name if there is one."""
    if not argument.is_required:
        return f"default {as_yaml(argument.default)}"
    return f"default `train.{argument.name}`" if argument.name in RECIPE_KEYS else "required"


def descriptions_of(hint: Any) -> Iterator[str]:
    """Yield the descriptions in the annotation of an argument."""
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Meta) and extra.description:
            yield extra.description


def _measurements(check: Check, catalog: Catalog) -> Iterator[str]:
    for measurement in measurements_of(check, catalog):
        yield f"{measurement.name} ({measurement.cost.name.lower()}): {measurement.doc.partition(chr(10))[0]}"
        yield f"{MARGIN}{file_of(measurement)}"


def measurements_of(check: Check, catalog: Catalog) -> list[Measurement]:
    """Return the measurements that a check reads, directly or through other measurements."""
    return [catalog.measurements[name] for name in catalog.measurements_of(check)]


def file_of(item: Check | Measurement) -> str:
    """Return the file of a check or measurement, from where its package lies: `retspec/checks/learning/loss_drop.py`.

    A file that was loaded by its path is shown relative to its git checkout or the working directory. What has no file,
    as in a notebook, is in the module that is named.
    """
    module = item.function.__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module
    packages = module.split(".")
    for tail in (PurePath(*packages).with_suffix(".py"), PurePath(*packages, "__init__.py")):
        if PurePath(file).parts[-len(tail.parts) :] == tail.parts:
            return tail.as_posix()
    return from_root(file)


def as_yaml(value: Any) -> str:
    """Return a value as a spec would write it; JSON is YAML."""
    return json.dumps(to_builtins(value))


def type_name(hint: Any) -> str:
    """Return a type in YAML's words: `int`, `list of str`, `"sum" or "mean"`, `float or null`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return type_name(parts[0])
    if origin is Literal:
        return " or ".join(map(as_yaml, parts))
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
