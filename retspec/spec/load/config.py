"""The project's own training config: YAML, JSON, TOML or Python, read by its own rules, as a tree with marks."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line, quoted
from retspec.errors import Mark, Problem, SpecError, UsageError, refuse
from retspec.spec.load.anchors import ConfigBuilder
from retspec.spec.load.composing import composed
from retspec.spec.load.interpolations import environment_names, interpolate, obstacles
from retspec.spec.load.overrides import override
from retspec.spec.load.parse import parse
from retspec.spec.load.plain_config import json_config, toml_config
from retspec.spec.load.python_config import holds_namespace, printed_namespace, python_config
from retspec.spec.load.spec_file import read
from retspec.spec.load.tree import Flat, Node
from retspec.spec.load.yaml11 import otherwise_read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

YAML = (".yaml", ".yml")
"""Ends of the names of configs in YAML."""
_READERS = {".json": json_config, ".toml": toml_config, ".py": python_config}
_ALLOWED = (
    f"it is a file of YAML, JSON, TOML or Python ({', '.join((*YAML, *_READERS))}), or a text with the Namespace(...) "
    "that argparse prints"
)
_SECTION = "config"
_NONE = "is named nowhere in this spec; add `config: path.yaml`"


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """The config that a spec names: overridden, its interpolations resolved."""

    path: Path | None = None
    """None for one that is not named, or that cannot be read."""
    tree: Node
    named: frozenset[str] = frozenset()
    """The environment variables that it may have read."""
    problems: tuple[Problem, ...] = ()
    otherwise: tuple[str, ...] = ()
    """Scalars that YAML 1.1 reads otherwise, as they are written in the file."""

    @cached_property
    def data(self) -> Any:
        """Its plain data; a value that cannot be resolved stays text."""
        return Flat().add(self.tree)

    @cached_property
    def unresolved(self) -> dict[str, str]:
        """The dotted places whose values are not known, with the reasons."""
        return {".".join(map(str, place)): node.obstacle for place, node in obstacles(self.tree)}


def is_of_config(entry: str) -> bool:
    """Whether an override `config.a.b=1` changes a value of the config, and not the spec."""
    return entry.partition("=")[0].strip().startswith(f"{_SECTION}.")


def named_config(
    named: Node | None, spec: str, overrides: Sequence[str], reading: Callable[..., ConfigFile]
) -> ConfigFile:
    """Return what the section `config:` of a spec names, None for a spec without one.

    reading: `read_config`, or one that remembers, for cells that name the same file.
    Raises `UsageError` for an override that leads nowhere.
    """
    if named is None:
        if overrides:
            raise UsageError(f"--set {one_line(overrides[0])}: a config {_NONE}")
        return ConfigFile(tree=Node(None, Mark(spec, 1, 1), obstacle=_NONE))
    problems: tuple[Problem, ...] = ()
    if isinstance(named.value, str) and named.value and not named.faulty:
        try:
            return reading(os.path.normpath(Path(spec).parent / named.value), named.mark, overrides)
        except SpecError as error:
            problems = error.problems
    return ConfigFile(tree=replace(named, value=None, faulty=True), problems=problems)


def read_config(file: str, at: Mark, overrides: Sequence[str] = ()) -> ConfigFile:
    """Return the config at a path, which messages show as it is given.

    at: the place in the spec that names it.
    overrides: `config.a.b=1`, applied before interpolations are resolved.
    Raises `SpecError` with everything that is wrong with it, `UsageError` for an override that leads nowhere.
    """
    keys: list[str] = []
    root, problems = _parsed(file, at, keys)
    otherwise = (*keys, *otherwise_read(root))
    for entry in overrides:
        wrapped, found = override(Node({_SECTION: root}, at), entry)
        root, problems = wrapped.children[0][1], problems + found
    if problems:
        raise SpecError(problems)
    names = set(environment_names(root))
    known = set(os.environ) if None in names else {name for name in names if name}
    return ConfigFile(path=Path(file).absolute(), tree=interpolate(root), named=frozenset(known), otherwise=otherwise)


def _parsed(file: str, at: Mark, keys: list[str]) -> tuple[Node, list[Problem]]:
    suffix = Path(file).suffix.lower()
    try:
        text = read(file, "config")
    except UsageError as error:
        refuse(at, f"config: {error}")
    start = Mark(file, 1, 1)
    problems: list[Problem] = []
    if suffix in YAML:
        root, problems = _yaml(text, file, keys)
    elif suffix in _READERS:
        root = _READERS[suffix](text, start)
    elif holds_namespace(text):
        root = printed_namespace(text, start)
    else:
        refuse(at, f"config: {quoted(file)} is not a config; {_ALLOWED}")
    if not isinstance(root.value, dict) and not root.faulty:
        refuse(root.mark, f"a config is a mapping, found {'nothing' if root.value is None else root.kind}")
    return root, problems


def _yaml(text: str, file: str, keys: list[str]) -> tuple[Node, list[Problem]]:
    root, problems = parse(text, lambda line, column: Mark(file, line, column), partial(ConfigBuilder, keys=keys))
    return composed(root, file, keys) if root else Node(None, Mark(file, 1, 1)), problems
