"""`extends: base.yaml`, or a list: a file laid over others, each read by the same rules.

Later wins: the files of a list in their order, then the file that extends them. There a `null` removes a key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retspec.errors import Mark, Problem, SpecError, UsageError
from retspec.spec.load.mapping import tree_of
from retspec.spec.load.merge import merge
from retspec.spec.load.parse import parse
from retspec.spec.load.spec_file import folder_of, read
from retspec.spec.load.tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EXTENDS = "extends"
_MOST_FILES = 16
"""Files that one spec is made of."""
_LONGEST_CHAIN = 8
"""Files of which each extends the next."""


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """The tree of a file laid over all that it extends."""

    tree: Node
    problems: list[Problem]
    extended: tuple[str, ...]
    """The other files, each as its marks name it."""


def assemble(file: str, given: Mapping[str, Any] | None = None) -> Assembled:
    """Read a spec and what it extends into one tree.

    given: what the file holds, where there is none.

    Raises `UsageError` for a file that cannot be read, `SpecError` for one from which nothing can be made,
    and when something that it extends is missing: the rest would be blamed for what is not there.
    """
    assembly = _Assembly(given)
    tree = assembly.whole(file, ())
    if assembly.is_broken:
        raise SpecError(assembly.problems)
    return Assembled(tree=tree, problems=assembly.problems, extended=tuple(dict.fromkeys(assembly.extended)))


def require_version(tree: Node, problems: list[Problem]) -> None:
    """Refuse another version at once: the rest of such a file follows rules that are not known here."""
    node = tree.value.get("retspec") if isinstance(tree.value, dict) else None
    if node is None or node.faulty or (node.value == 1 and isinstance(node.value, int) and node.value is not True):
        return
    message = f"this retspec reads version 1 of the spec, found {node.shown}; write `retspec: 1`"
    raise SpecError([*problems, Problem(node.mark, message)])


class _Assembly:
    """Reads files and lays them over each other; collects what is wrong on the way."""

    def __init__(self, given: Mapping[str, Any] | None) -> None:
        self._given = given
        self.problems: list[Problem] = []
        self.extended: list[str] = []
        self.is_broken = False

    def whole(self, file: str, chain: tuple[str, ...]) -> Node:
        """Return the tree of a file laid over what it extends.

        chain: the files that lead to it, the first one being the spec.
        """
        tree = self.tree(file) if chain or self._given is None else self.given_tree(self._given)
        sections = dict(tree.value) if isinstance(tree.value, dict) else {}
        entry = sections.pop(EXTENDS, None)
        if (entry or chain) and "retspec" not in sections:
            message = "`retspec: 1` is missing; every file that extends another or is extended begins with it"
            self.problems.append(Problem(tree.mark, message))
        if entry is None:
            return tree
        under = Node({}, tree.mark)
        for base in self.bases(entry, (*chain, file)):
            under = merge(under, base)
        return merge(under, replace(tree, value=sections), removing=self.problems)

    def tree(self, file: str) -> Node:
        root, problems = parse(read(file), lambda line, column: Mark(file, line, column))
        tree = _mapping(root, Mark(file, 1, 1), problems)
        require_version(tree, problems)
        self.problems += problems
        return tree

    def given_tree(self, given: Mapping[str, Any]) -> Node:
        tree, problems = tree_of(given)
        require_version(tree, problems)
        self.problems += problems
        return tree

    def bases(self, entry: Node, chain: tuple[str, ...]) -> Iterator[Node]:
        named = entry.value if isinstance(entry.value, tuple) else (entry,)
        if not named:
            self.stop(entry.mark, "extends is empty; name a file, or leave it out")
        for node in named:
            if not isinstance(node.value, str) or not node.value:
                self.stop(node.mark, f"extends: expected the path of a spec, or a list of paths; found {node.shown}")
            elif "${" in node.value:
                self.stop(node.mark, "extends takes no references: it is read before they are resolved")
            elif (base := self.base(node.value, node.mark, chain)) is not None:
                yield base

    def base(self, name: str, mark: Mark, chain: tuple[str, ...]) -> Node | None:
        file = _joined(folder_of(chain[-1]), name)
        if refused := _refused(file, chain) or self.too_many():
            self.stop(mark, refused)
            return None
        self.extended.append(file)
        try:
            return self.whole(file, chain)
        except UsageError as error:
            self.stop(mark, f"extends: {error}")
        except SpecError as error:
            self.problems += error.problems
            self.is_broken = True
        return None

    def too_many(self) -> str:
        is_full = len(self.extended) + 1 >= _MOST_FILES
        return f"a spec of more than {_MOST_FILES} files; extend fewer" if is_full else ""

    def stop(self, mark: Mark, message: str) -> None:
        self.is_broken = True
        self.problems.append(Problem(mark, message))


def _mapping(root: Node | None, start: Mark, problems: list[Problem]) -> Node:
    if root is None or (root.value is None and not root.faulty):
        raise SpecError([*problems, Problem(start, "the file is empty; a spec begins with `retspec: 1`")])
    if not isinstance(root.value, dict):
        message = f"a spec is a mapping, found {root.kind}; begin with `retspec: 1`"
        raise SpecError([*problems, Problem(root.mark, message)])
    return root


def _refused(file: str, chain: tuple[str, ...]) -> str:
    """Return why the last file of a chain may not extend this one, or an empty string."""
    around = [index for index, other in enumerate(chain) if os.path.realpath(other) == os.path.realpath(file)]
    if around:
        return f"a file extends itself: {' -> '.join([*chain[around[0] :], file])}"
    if len(chain) >= _LONGEST_CHAIN:
        return f"more than {_LONGEST_CHAIN} files extend each other: {' -> '.join([*chain, file])}"
    return ""


def _joined(folder: Path, name: str) -> str:
    """Return a path without `..` where that leads to the same file, links considered."""
    path = folder / name
    short = os.path.normpath(path)
    return short if os.path.realpath(short) == os.path.realpath(path) else str(path)
