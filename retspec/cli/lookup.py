"""Look up what a spec names, in files alone: nothing is imported, so that torch is not either.

Only what is certainly absent is reported. Where the environment has no torch, such as that of a pre-commit hook, the
project's own packages may be elsewhere too, and nothing is.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.errors import Problem, did_you_mean
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Spec

_REGISTRIES = ("timm", "torchvision")
"""Packages whose models are functions under `@register_model` in files of their folder `models`."""
_REGISTERED = re.compile(rb"^@register_model\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)
_REFERENCE = re.compile(r"[\w.]+:\w+(\.\w+)*")
_DYNAMIC = frozenset({"globals", "vars", "setattr", "exec", "__getattr__"})
"""Names in a module that may bind others."""


def absent(spec: Spec) -> Iterator[Problem]:
    """Yield what a valid spec names that is certainly not there: models of a registry, modules and their functions."""
    if _installed("torch") is None:
        return
    for place, value in _named(spec):
        message = _reference_fault(value, spec.folders) if _REFERENCE.fullmatch(value) else ""
        if place.removeprefix("model.") in _REGISTRIES and not spec.plugins:  # a plugin may register its own
            message = model_fault(place.removeprefix("model."), value)
        if message and place in spec.marks:
            yield Problem(spec.marks[place], Mask(spec.secrets).text(f"{place}: {message}"))


def model_fault(package: str, name: str) -> str:
    """Return that a package has no such model, with the near miss; empty if it has, or is not installed."""
    sources = _registry(package)
    bare = name.partition(".")[0]
    if not sources or not bare.isidentifier() or _is_registered(bare, sources):
        return ""
    known = {found.decode() for source in sources for found in _REGISTERED.findall(source)}
    return f"{package} has no model {name!r}{did_you_mean(bare, known)}"


def _is_registered(name: str, sources: tuple[bytes, ...]) -> bool:
    """Whether a model, or a deprecated name of one, is called so."""
    defined, quoted = f"\ndef {name}(".encode(), f"'{name}'".encode()
    return any(defined in source or quoted in source for source in sources)


@cache
def _registry(package: str) -> tuple[bytes, ...]:
    """Return the sources of the models of a package; none if it is not installed."""
    found = _installed(package)
    folders = [] if found is None else found.submodule_search_locations or []
    return tuple(file.read_bytes() for folder in folders for file in sorted(Path(folder).glob("models/*.py")))


def _named(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield (dotted place, text) of what names a model or a callable."""
    sections = {"model": spec.model, "data": spec.data, "train": spec.training}
    found = {f"{name}.{each.source}": each.value for name, each in sections.items() if each is not None}
    found |= {"train.loss": spec.train.loss}
    found |= {f"data.{key}": getattr(spec.data, key) for key in ("transform", "train_transform")}
    yield from ((place, value) for place, value in found.items() if isinstance(value, str))


def _reference_fault(reference: str, folders: tuple[Path, ...]) -> str:
    """Return why `package.module:callable` cannot be imported from these folders; empty if it may be."""
    module, _, attribute = reference.partition(":")
    try:
        found = _find(module, [*sys.path, *map(str, folders), str(Path.cwd())])
        if found is None:
            return f"there is no module {module!r}; it must be installed, beside the spec, or in the working directory"
        names = _names_in(found)
    except Exception:  # noqa: BLE001 - finders are anyone's code, and a file may be unreadable: running it reports why
        return ""
    name = attribute.partition(".")[0]
    if names is None or name in names:
        return ""
    return f"{module} has no callable {name!r}{did_you_mean(name, names)}"


def _find(module: str, folders: list[str]) -> ModuleSpec | None:
    """Find a module without importing its packages, which `importlib.util.find_spec` would do."""
    top, *rest = module.split(".")
    found = _installed(top) or PathFinder.find_spec(top, folders)
    for name in rest:
        if found is None or found.submodule_search_locations is None:
            return None
        found = PathFinder.find_spec(f"{found.name}.{name}", found.submodule_search_locations)
    return found


def _installed(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)
    except (ImportError, ValueError):
        return None


def _names_in(found: ModuleSpec) -> set[str] | None:
    """Return all names that the source of a module binds anywhere; None if that cannot be known from it."""
    if not found.origin or not found.origin.endswith(".py"):
        return None
    names: set[str] = set()
    for node in ast.walk(ast.parse(Path(found.origin).read_bytes())):
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name) | ast.Name(name):
                names.add(name)
            case ast.Import(aliases) | ast.ImportFrom(_, aliases):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
    return None if names & _DYNAMIC or "*" in names else names
