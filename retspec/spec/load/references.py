"""`${vars.x}`, `${config.a.b}`, `${matrix.x}`, `${env.X}` and `${env.X:-default}` in values; `$${` is a literal `${`.

A reference that is the whole value keeps the type of what it names; inside a longer text it becomes text.
Only the environment variables that a spec names are ever read, and none is ever suggested.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.characters import quoted, word
from retspec.errors import Problem, did_you_mean
from retspec.spec.load.interpolations import not_composed, obstacles
from retspec.spec.load.matrix import steps_to
from retspec.spec.load.scalars import Scalar, scalar_of
from retspec.spec.load.tree import MAX_DEPTH, MAX_NODES, Node
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retspec.errors import Mark
    from retspec.spec.document import Place

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")
_ENVIRONMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>.*))?", re.DOTALL)
_NAMESPACES = ("vars", "config", "env", "matrix")
_MAX_TEXT = 1 << 16


class _Unresolved(Exception):  # noqa: N818 - never leaves this module
    """A reference cannot be followed; the message is empty when it was reported already.

    mark: where the cause is written, when it is not where the reference is.
    """

    def __init__(self, message: str = "", mark: Mark | None = None) -> None:
        super().__init__(message)
        self.mark = mark


class Resolver:
    """Replaces the references in a tree.

    `problems` holds those that lead nowhere, `named` the environment variables that are referred to, `used` the
    keys of the matrix.
    """

    def __init__(self, spaces: Mapping[str, Node], environment: Mapping[str, str], config: Node) -> None:
        self.problems: list[Problem] = []
        self.named: set[str] = set()
        self.used: set[str] = set()
        self._spaces = spaces
        self._environment = environment
        self._config = config
        self._found: dict[str, Node] = {}
        self._copied = 0

    def resolve(self, node: Node, trail: tuple[str, ...] = (), depth: int = 1) -> Node:
        """Return the tree with every reference replaced.

        trail: the variables that are being resolved, outermost first.
        depth: levels of nesting and of references above the node.
        """
        if isinstance(node.value, dict):
            values = {key: self.resolve(child, trail, depth + 1) for key, child in node.value.items()}
            return replace(node, value=values)
        if isinstance(node.value, tuple):
            return replace(node, value=tuple(self.resolve(child, trail, depth + 1) for child in node.value))
        if isinstance(node.value, str) and "${" in node.value and not node.faulty:
            return self._reference(node, node.value, trail, depth)
        return node

    def _reference(self, node: Node, text: str, trail: tuple[str, ...], depth: int) -> Node:
        try:
            if (whole := _REFERENCE.fullmatch(text)) and whole["name"] is not None:
                return replace(self._named(whole["name"], node, trail, depth), mark=node.mark, key_mark=node.key_mark)
            return replace(node, value=self._text(node, text, trail, depth))
        except _Unresolved as reason:
            if str(reason):
                self.problems.append(Problem(reason.mark or node.mark, str(reason)))
            return replace(node, faulty=True)

    def _text(self, node: Node, text: str, trail: tuple[str, ...], depth: int) -> str:
        def replacement(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if match["name"] is None:
                raise _Unresolved("'${' is never closed; write ${vars.NAME}, or $${ for the two characters themselves")
            return self._embedded(match["name"], node, trail, depth)

        resolved = _REFERENCE.sub(replacement, text)
        if len(resolved) > _MAX_TEXT:
            raise _Unresolved("the references multiply to more than 64 KiB of text")
        return resolved

    def _embedded(self, name: str, node: Node, trail: tuple[str, ...], depth: int) -> str:
        named = self._named(name, node, trail, depth)
        if isinstance(named.value, str):
            return named.value
        if named.children or isinstance(named.value, dict | tuple):
            raise _Unresolved(f"{word(name)} is {named.kind} and cannot be part of a text")
        return json.dumps(named.value)

    def _named(self, name: str, node: Node, trail: tuple[str, ...], depth: int) -> Node:
        space, _, rest = name.partition(".")
        if space == "env":
            self.named.add(rest.partition(":-")[0])
            return Node(_from_environment(rest, self._environment), node.mark)
        if space == "config":
            return self._of_config(name, node.mark)
        if space in self._spaces and rest:
            return self._variable(name, trail, depth)
        if space == "matrix":
            raise _Unresolved(f"{quoted(f'${{{name}}}')} names a value of the matrix, and there is none here")
        hint = did_you_mean(space, _NAMESPACES)
        allowed = "write ${vars.NAME}, ${config.KEY} or ${env.NAME}"
        raise _Unresolved(f"unknown reference {quoted(f'${{{name}}}')}; {allowed}{hint}")

    def _variable(self, name: str, trail: tuple[str, ...], depth: int) -> Node:
        if name in trail:
            cycle = [*trail[trail.index(name) :], name]
            raise _Unresolved(f"{word(name)} refers to itself: {' -> '.join(map(word, cycle))}")
        if depth > MAX_DEPTH:
            raise _Unresolved(f"references and values nest deeper than {MAX_DEPTH} levels")
        if name not in self._found:
            self._found[name] = self._follow(name, (*trail, name), depth)
        if self._found[name].faulty:
            raise _Unresolved
        return self._found[name]

    def _of_config(self, name: str, mark: Mark) -> Node:
        """Return a value of the config, or with `${config}` all of it, as if written where it is referred to."""
        node, (walked, *steps) = self._config, name.split(".")
        for step in steps:
            self._require_usable([((), node)] if node.obstacle else [], walked)
            children = {str(key): child for key, child in node.children}
            if step not in children and not node.faulty:
                raise _Unresolved(_unknown("value", name, walked, step, children, not_composed(self._config)))
            node, walked = children.get(step, node), f"{walked}.{step}"
        self._require_usable(obstacles(node), walked)
        if node.faulty:
            raise _Unresolved
        self._copied += node.size
        if self._copied > MAX_NODES:
            raise _Unresolved(f"the references to the config multiply to more than {MAX_NODES:,} values")
        return _moved(node, mark)

    def _require_usable(self, hindered: Iterable[tuple[Place, Node]], walked: str) -> None:
        for place, node in hindered:
            where = word(".".join(map(str, (walked, *place))))
            raise _Unresolved(f"{where} {node.obstacle}", None if node is self._config else node.mark)

    def _follow(self, name: str, trail: tuple[str, ...], depth: int) -> Node:
        """Walk down the variables; one on the way may itself be a reference to a mapping."""
        walked, steps = self._steps(name)
        node = self._spaces[walked]
        for step in steps:
            node = self._opened(node, trail, depth)
            children = {str(key): child for key, child in node.children}
            if step not in children:
                raise _Unresolved(_unknown("variable", name, walked, step, children))
            node, walked = children[step], f"{walked}.{step}"
        return self.resolve(node, trail, depth + 1)

    def _steps(self, name: str) -> tuple[str, list[str]]:
        """Split a name into its namespace and the keys that lead to its value."""
        space, _, rest = name.partition(".")
        if space != "matrix":
            return space, rest.split(".")
        try:
            steps = steps_to(rest, [str(key) for key, _ in self._spaces[space].children])
        except ValueError as reason:
            raise _Unresolved(str(reason)) from None
        self.used.add(steps[0])
        return space, steps

    def _opened(self, node: Node, trail: tuple[str, ...], depth: int) -> Node:
        """Return a variable whose parts are asked for: itself, or what it refers to as a whole."""
        opened = self.resolve(node, trail, depth + 1) if isinstance(node.value, str) else node
        if opened.faulty:
            raise _Unresolved
        return opened


def _moved(node: Node, mark: Mark) -> Node:
    """Return a tree all of whose marks are at one place."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _moved(child, mark) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_moved(child, mark) for child in value)
    return Node(value, mark, key_mark=mark if node.key_mark else None)


def _unknown(kind: str, name: str, walked: str, step: str, children: Iterable[str], otherwise: str = "") -> str:
    known = listing([*map(word, children)]) or "nothing"
    return f"unknown {kind} {quoted(name)}; {word(walked)} holds {known}{did_you_mean(step, children) or otherwise}"


def _from_environment(reference: str, environment: Mapping[str, str]) -> Scalar:
    """Return the value of `NAME` or `NAME:-default`; as in a shell, it also replaces an empty value."""
    match = _ENVIRONMENT.fullmatch(reference)
    if match is None:
        raise _Unresolved(f"{quoted(f'env.{reference}')} names no environment variable; write ${{env.NAME:-default}}")
    name, default = match["name"], match["default"]
    if default is None and name not in environment:
        hint = f"set it, or write ${{env.{word(name)}:-default}}"
        raise _Unresolved(f"the environment variable {quoted(name)} is not set; {hint}")
    return _typed(name, environment.get(name) or default or "")


def _typed(name: str, text: str) -> Scalar:
    """Read the text of an environment variable as a plain scalar of YAML."""
    try:
        text.encode()
        value = scalar_of(text.strip())
    except UnicodeEncodeError:
        raise _Unresolved(f"the environment variable {quoted(name)} is not UTF-8") from None
    except ValueError as error:
        raise _Unresolved(f"the environment variable {quoted(name)}: {error}") from None
    return text if isinstance(value, str) else value
