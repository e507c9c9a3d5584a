"""The outline of a pickle: what is under which of its keys. Nothing is imported or made; its opcodes are read as text.

It only serves messages: which key holds what safe loading refuses, and where the weights are.
"""

from __future__ import annotations

import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_REBUILDS = "torch._utils._rebuild_"
_MOST_PIECES = 1 << 18
"""Values that are looked at; a pickle may hold one value in thousands of places."""


@dataclass(eq=False)
class Piece:
    """A value of a pickle: a name that it imports, or what other values make up."""

    text: str = ""
    """Of a text."""
    name: str = ""
    """Of an import: `package.module.attribute`."""
    inside: list[tuple[str, Piece]] = field(default_factory=list)
    """Values with their keys, which are empty but in mappings."""

    def add(self, *pieces: Piece) -> None:
        """Put values in it that have no keys."""
        self.inside += [("", piece) for piece in pieces]

    def walk(self) -> Iterator[tuple[tuple[str, ...], Piece]]:
        """Yield every value in it once with the keys that lead there; it may hold itself."""
        waiting: list[tuple[tuple[str, ...], Piece]] = [((), self)]
        seen: set[int] = set()
        while waiting and len(seen) < _MOST_PIECES:
            keys, piece = waiting.pop()
            if id(piece) not in seen:
                seen.add(id(piece))
                yield keys, piece
                waiting += [((*keys, key) if key else keys, below) for key, below in reversed(piece.inside)]

    @property
    def is_tensor(self) -> bool:
        """Whether it is a call of what makes a tensor."""
        return bool(self.inside) and self.inside[0][1].name.startswith(_REBUILDS)

    @property
    def tensors(self) -> int:
        """Number of tensors in it, itself included."""
        return sum(piece.is_tensor for _, piece in self.walk())

    def holds(self, names: Collection[str]) -> bool:
        """Whether it imports any of these names."""
        return any(piece.name in names for _, piece in self.walk())

    def keys_of(self, names: Collection[str]) -> dict[str, str]:
        """Return for each of these names that it imports the dotted key that leads to it first."""
        found: dict[str, str] = {}
        for keys, piece in self.walk():
            if piece.name in names:
                found.setdefault(piece.name, ".".join(keys[:3]))
        return found


def outline(pickled: bytes) -> Piece | None:
    """Return the outline of a pickle; None for one that is damaged, or beyond what torch writes."""
    reader = _Reader()
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            reader.take(opcode.name, argument)
        return reader.stack[-1]
    except (ValueError, IndexError, KeyError, AttributeError, RecursionError):
        return None


class _Reader:
    """Takes the opcodes of a pickle; see the comments in `pickletools` of the standard library."""

    def __init__(self) -> None:
        self.stack: list[Piece] = []
        self.below: list[list[Piece]] = []
        self.memo: dict[Any, Piece] = {}

    def take(self, opcode: str, argument: Any) -> None:
        """Do what an opcode says, without making anything."""
        if opcode in {"MARK", "POP_MARK"}:
            self._mark(opens=opcode == "MARK")
        elif opcode.endswith(("PUT", "MEMOIZE")):
            self.memo[len(self.memo) if argument is None else int(argument)] = self.stack[-1]
        elif opcode.endswith("GET"):
            self.stack.append(self.memo[int(argument)])
        elif opcode in {"GLOBAL", "STACK_GLOBAL"}:
            self._name(argument)
        elif opcode.startswith("SETITEM"):
            self._items(self._popped(opcode, 2))
        elif opcode in {"APPEND", "APPENDS", "ADDITEMS", "BUILD"}:
            self._append(self._popped(opcode, 1))
        elif opcode not in {"PROTO", "FRAME", "STOP"}:
            self._make(opcode, argument)

    def _mark(self, *, opens: bool) -> list[Piece]:
        if opens:
            self.below.append(self.stack)
            self.stack = []
            return []
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def _popped(self, opcode: str, number: int) -> list[Piece]:
        """Return what an opcode takes from the stack: a number of values, or all behind the last mark."""
        if opcode.endswith("S"):
            return self._mark(opens=False)
        taken = self.stack[-number:] if number else []
        del self.stack[len(self.stack) - number :]
        return taken

    def _name(self, argument: Any) -> None:
        module, name = argument.split(" ", 1) if argument else (piece.text for piece in self._popped("", 2))
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        self.stack.append(Piece(name=f"{module}.{name}"))

    def _items(self, taken: list[Piece]) -> None:
        pairs = zip(taken[::2], taken[1::2], strict=True)
        self.stack[-1].inside += [(key.text, value) for key, value in pairs]

    def _append(self, taken: list[Piece]) -> None:
        self.stack[-1].add(*taken)

    def _make(self, opcode: str, argument: Any) -> None:
        takes = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "REDUCE": 2, "NEWOBJ": 2, "NEWOBJ_EX": 3, "BINPERSID": 1}
        made = Piece(text=argument if isinstance(argument, str) and opcode.endswith(("UNICODE", "STRING")) else "")
        if opcode in {"TUPLE", "LIST", "FROZENSET", "OBJ", "INST"}:
            made.add(*self._mark(opens=False))
        elif opcode == "DICT":
            taken = self._mark(opens=False)
            made.inside = [(key.text, value) for key, value in zip(taken[::2], taken[1::2], strict=True)]
        elif opcode == "POP":
            self.stack.pop()
            return
        else:
            made.add(*self._popped("", takes.get(opcode, 0)))
        self.stack.append(made)
