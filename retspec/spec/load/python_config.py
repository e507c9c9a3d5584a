"""Training configs written in Python, and printed `Namespace(...)`: read as a syntax tree, never run.

Literal values are taken, and names of those before them. What would have to be run, such as `os.environ["X"]` or
`batch * 2`, is an error only where a spec refers to it.
"""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from retspec.characters import one_line, quoted
from retspec.errors import Mark, refuse
from retspec.spec.load.plain_config import json_scalar
from retspec.spec.load.tree import MAX_DEPTH, MAX_WRITTEN, Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAPPINGS = frozenset(
    {"dict", "ConfigDict", "EasyDict", "edict", "AttrDict", "Namespace", "SimpleNamespace", "OrderedDict", "CfgNode"}
    | {"CN", "Munch", "AttributeDict", "Box", "DictConfig", "defaultdict"}
)
"""What makes a mapping of its keyword arguments, or is one of names to values."""
PATHS = frozenset({"Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath"})
_LONGEST = 60
"""Characters of an expression that a message shows."""
_DUMP = "Namespace("
_BRANCHING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
_ASIDE = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"})
"""Conditions that do not hold where a training imports its config."""
_RUN = "would have to be run; Python is only read here: write the value itself"
_MOST_TRIED = 1000
"""Closing brackets behind `Namespace(` that may be its own."""


def python_config(text: str, start: Mark) -> Node:
    """Return the assignments of a module, those in a class under its name, as a tree with marks.

    Raises `SpecError` for what is not Python.
    """
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        refuse(_place_of(error, start), f"this is not Python: {one_line(getattr(error, 'msg', str(error)))}")
    return _Reader(start.file).module(module.body, start)


def holds_namespace(text: str) -> bool:
    """Whether a text has what `print(args)` writes of the arguments of argparse."""
    return _DUMP in text


def printed_namespace(text: str, start: Mark) -> Node:
    """Return the arguments in a text that holds `Namespace(...)`, such as a log; the first one counts.

    Raises `SpecError` where it cannot be read.
    """
    begin = end = text.index(_DUMP)
    line = text.count("\n", 0, begin)
    column = begin - (text.rfind("\n", 0, begin) + 1)
    call = None
    for _ in range(_MOST_TRIED):
        end = text.find(")", end) + 1
        call = call or (_expression(text[begin:end]) if end else None)
        if call or not end:
            break
    if call is None:
        message = "this Namespace(...) cannot be read: a value in it is no Python; save the arguments as JSON, as"
        refuse(Mark(start.file, line + 1, column + 1), f"{message} vars(args)")
    return _Reader(start.file, line, column).value(call)


def _expression(text: str) -> ast.expr | None:
    """Return the syntax tree of an expression, None for what is none."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _place_of(error: Exception, start: Mark) -> Mark:
    line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
    return Mark(start.file, line or 1, column or 1)


class _Reader:
    """Reads expressions and assignments; line and column are where the text begins in its file, from 0."""

    def __init__(self, file: str, line: int = 0, column: int = 0) -> None:
        self._file, self._line, self._column = file, line, column
        self._known: dict[str, Node] = {}
        self._depth = self._read = 0

    def module(self, body: Sequence[ast.stmt], start: Mark) -> Node:
        """Return what a module or a class assigns; a later assignment takes the place of an earlier one."""
        found: dict[str, Node] = {}
        for statement in body:
            for target, value in (*self._assigned(statement), *self._in_branches(statement)):
                self._assign(target, value, found)
            if isinstance(statement, ast.ClassDef):
                known, self._known = self._known, dict(self._known)
                made = self.module(statement.body, self._mark(statement))
                self._known = {**known, statement.name: made}
                found[statement.name] = made
        return Node(found, start)

    def value(self, node: ast.expr) -> Node:
        """Return the value of an expression, with its obstacle where it would have to be run."""
        self._depth, self._read = self._depth + 1, self._read + 1
        try:
            if self._depth > MAX_DEPTH or self._read > MAX_WRITTEN:
                refuse(self._mark(node), "this nests or goes on beyond reason; is this a config?")
            found = self._of(node)
        finally:
            self._depth -= 1
        return self._unknown(node) if found is None else found

    def _assigned(self, statement: ast.stmt) -> list[tuple[ast.expr, Node]]:
        match statement:
            case ast.Assign(targets, value):
                return [(target, self.value(value)) for target in targets]
            case ast.AnnAssign(target, _, ast.expr() as value):
                return [(target, self.value(value))]
            case ast.AugAssign(target):
                return [(target, Node(None, self._mark(statement), obstacle=_computed(statement)))]
        return []

    def _in_branches(self, statement: ast.stmt) -> Iterator[tuple[ast.expr, Node]]:
        """Yield what a statement assigns that runs a part of itself, perhaps: whether it does is not known."""
        if not isinstance(statement, _BRANCHING) or (isinstance(statement, ast.If) and _is_aside(statement.test)):
            return
        for inner in ast.walk(statement):
            targets = inner.targets if isinstance(inner, ast.Assign) else []
            if isinstance(inner, ast.AnnAssign | ast.AugAssign):
                targets = [inner.target]
            kind = type(statement).__name__.removeprefix("Async").lower()
            obstacle = f"is assigned inside of the `{kind}` in line {statement.lineno + self._line}, which {_RUN}"
            yield from ((target, Node(None, self._mark(statement), obstacle=obstacle)) for target in targets)

    def _assign(self, target: ast.expr, value: Node, found: dict[str, Node]) -> None:
        if isinstance(target, ast.Name):
            self._known[target.id] = found[target.id] = value
            return
        if isinstance(target, ast.Tuple | ast.List) and value.obstacle:
            for part in target.elts:
                self._assign(part, value, found)
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value.value, tuple):
            for part, each in zip(target.elts, value.value, strict=False):
                self._assign(part, each, found)
        key = _key_of(target)
        holder = self._held(target.value) if key and isinstance(target, ast.Attribute | ast.Subscript) else None
        if key and holder is not None and isinstance(holder.value, dict):
            holder.value[key] = value

    def _held(self, node: ast.expr) -> Node | None:
        """Return the value that a name, or an attribute or item of it, stands for."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id)
        key = _key_of(node)
        above = self._held(node.value) if key and isinstance(node, ast.Attribute | ast.Subscript) else None
        return above.value.get(key) if key and above is not None and isinstance(above.value, dict) else None

    def _of(self, node: ast.expr) -> Node | None:  # noqa: PLR0911 - one for each kind of expression
        mark = self._mark(node)
        match node:
            case ast.Constant(str() | int() | float() | None as value):
                return Node(json_scalar(value), mark)
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)) if not isinstance(value, bool):
                return Node(json_scalar(-value), mark)
            case ast.List(items) | ast.Tuple(items) | ast.Set(items):
                return Node(tuple(self.value(item) for item in items), mark)
            case ast.Dict(keys, values):
                return self._mapping(keys, values, mark)
            case ast.BinOp(left, ast.Div(), right) if _is_path(left):  # Path("data") / "aptos"
                parts = [self.value(left).value, self.value(right).value]
                return Node("/".join(map(str, parts)), mark) if all(isinstance(part, str) for part in parts) else None
            case ast.Call(function, arguments, keywords):
                return self._call(_last(function), arguments, keywords, mark)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                held = self._held(node)
                return held and Node(held.value, mark, obstacle=held.obstacle)
        return None

    def _mapping(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], mark: Mark) -> Node | None:
        found: dict[str, Node] = {}
        for key, value in zip(keys, values, strict=True):
            read = self.value(value)
            if key is None and isinstance(read.value, dict):  # {**other}
                found |= read.value
            elif isinstance(key, ast.Constant) and isinstance(key.value, str | int):
                found[str(key.value)] = read
            else:
                return None
        return Node(found, mark)

    def _call(
        self, name: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword], mark: Mark
    ) -> Node | None:
        given = [self.value(argument) for argument in arguments]
        if name in PATHS and not keywords and all(isinstance(each.value, str) for each in given):
            return Node(str(PurePosixPath(*(str(each.value) for each in given))), mark)
        if name == "field" and not given:  # of a dataclass
            return next((self.value(each.value) for each in keywords if each.arg == "default"), None)
        if name not in MAPPINGS or not all(isinstance(each.value, dict) for each in given):
            return None
        merged = {key: child for each in given for key, child in each.children}
        for keyword in keywords:
            value = self.value(keyword.value)
            merged |= {keyword.arg: value} if keyword.arg else dict(value.children)
        return Node({str(key): child for key, child in merged.items()}, mark)

    def _unknown(self, node: ast.expr) -> Node:
        return Node(_shown(node), self._mark(node), obstacle=_computed(node))

    def _mark(self, node: ast.expr | ast.stmt) -> Mark:
        column = node.col_offset + (self._column if node.lineno == 1 else 0)
        return Mark(self._file, node.lineno + self._line, column + 1)


def _key_of(node: ast.expr) -> str:
    match node:
        case ast.Attribute(_, name):
            return name
        case ast.Subscript(_, ast.Constant(str() as name)):
            return name
    return ""


def _is_path(node: ast.expr) -> bool:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        node = node.left
    return isinstance(node, ast.Call) and _last(node.func) in PATHS


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else _key_of(node)


def _shown(node: ast.AST) -> str:
    return one_line(ast.unparse(node))[:_LONGEST]


def _computed(node: ast.AST) -> str:
    return f"is {quoted(_shown(node))}, which {_RUN}"


def _is_aside(test: ast.expr) -> bool:
    return ast.unparse(test) in _ASIDE
