"""The `defaults` list of a Hydra config: the files that it names, laid over each other as Hydra does.

See https://hydra.cc/docs/advanced/defaults_list/. Where it names what is not there, or what only a command line knows,
the list stays in the config, and an unknown reference says that it was not composed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from retspec.errors import Mark, SpecError, UsageError, refuse
from retspec.spec.load.anchors import ConfigBuilder
from retspec.spec.load.merge import merge
from retspec.spec.load.parse import parse
from retspec.spec.load.spec_file import read
from retspec.spec.load.tree import MAX_NODES, Node

DEFAULTS = "defaults"
_SELF = "_self_"
_PACKAGE = re.compile(r"^\s*#\s*@package\s+(?P<name>\S+)", re.MULTILINE)
_PLAIN = re.compile(r"[\w./@ -]+")
_PLACE = ("config",)
"""Where all of it is below a spec: no key of a config is the section of the criteria."""
_DEEPEST = 10
"""Files that name each other one after the other."""


class _CannotBeComposedError(Exception):
    """The list names what is not there."""


def composed(root: Node, file: str, keys: list[str]) -> Node:
    """Return a config with the files of its `defaults` list merged, and unchanged if it has none or not all are there.

    keys: gets the keys that YAML 1.1 reads otherwise, in words.

    Raises `SpecError` for a file of the list that is not YAML.
    """
    entries = root.value.get(DEFAULTS) if isinstance(root.value, dict) else None
    if entries is None or not isinstance(entries.value, tuple):
        return root
    try:
        return _Composer(Path(file).parent, keys).config(root, "", depth=0)
    except _CannotBeComposedError:
        return root


@dataclass
class _Composer:
    home: Path
    """The folder of the config, in which groups are."""
    keys: list[str]
    size: int = field(default=0)

    def config(self, root: Node, group: str, depth: int) -> Node:
        """Return a config laid over its defaults; where the list has no `_self_`, it is the last."""
        if depth > _DEEPEST or not isinstance(root.value, dict):
            raise _CannotBeComposedError
        own = replace(root, value={key: child for key, child in root.value.items() if key != DEFAULTS})
        listed = root.value.get(DEFAULTS)
        entries = list(listed.value) if listed is not None and isinstance(listed.value, tuple) else []
        if all(entry.value != _SELF for entry in entries):
            entries.append(Node(_SELF, root.mark))
        whole = replace(root, value={})
        for entry in entries:
            whole = merge(whole, own if entry.value == _SELF else self.entry(entry, group, depth), place=_PLACE)
        self.size += whole.size
        if self.size > MAX_NODES:
            refuse(root.mark, "the defaults of the config multiply beyond reason")
        return whole

    def entry(self, entry: Node, group: str, depth: int) -> Node:
        """Return what an entry of the list adds: `name`, or `group: name`, or `group: [name, …]`."""
        if isinstance(entry.value, str):
            return self.option(group, "", entry.value, depth)
        if not isinstance(entry.value, dict) or len(entry.value) != 1:
            raise _CannotBeComposedError
        (key, named), *_ = entry.value.items()
        words = key.split()
        if "hydra" in words[-1].split("/")[0] or named.value is None:
            return Node({}, entry.mark)
        at, _, package = words[-1].partition("@")
        below = at.removeprefix("/") if at.startswith("/") or not group else f"{group}/{at}"
        options = named.value if isinstance(named.value, tuple) else (named,)
        whole = Node({}, entry.mark)
        for option in options:
            found = self.option(below, package, option.value, depth, optional="optional" in words)
            whole = merge(whole, found, place=_PLACE)
        return whole

    def option(self, group: str, package: str, name: object, depth: int, *, optional: bool = False) -> Node:
        """Return the file of a group, under its package: the name of the group unless its first lines say otherwise."""
        if not isinstance(name, str) or not _PLAIN.fullmatch(name) or ".." in f"{group}/{name}":
            raise _CannotBeComposedError
        path = self.home / group / f"{name.removesuffix('.yaml')}.yaml"
        if name.startswith("/"):
            path, group = self.home / f"{name[1:].removesuffix('.yaml')}.yaml", str(Path(name[1:]).parent).strip(".")
        if not path.is_file():
            if optional:
                return Node({}, Mark(str(path), 1, 1))
            raise _CannotBeComposedError
        try:
            text = read(str(path), "config")
        except UsageError as error:
            raise _CannotBeComposedError from error
        root, problems = parse(
            text, lambda line, column: Mark(str(path), line, column), partial(ConfigBuilder, keys=self.keys)
        )
        if problems:
            raise SpecError(problems)
        node = self.config(root or Node({}, Mark(str(path), 1, 1)), group, depth + 1)
        header = _PACKAGE.search(text)
        return _under(header["name"] if header and not package else package or group.replace("/", "."), node, group)


def _under(package: str, node: Node, group: str) -> Node:
    """Return a config at the place of its package."""
    if package in {"_global_", ""}:
        return node
    place = package.replace("_group_", group.replace("/", ".")).replace("_global_.", "")
    for step in reversed(place.split(".")):
        node = Node({step: node}, node.mark)
    return node
