"""Walk the autograd graph of a tensor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container

    from torch import Tensor

_CARRIES = frozenset(
    {"View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "ToCopy", "Clone", "Alias", "Permute"}
)
"""Operations that keep every value."""
_NUMBER = re.compile(r"Backward\d+$")


def nodes_behind(outputs: Tensor | Any, until: Container[Any] = ()) -> set[Any]:
    """Return the operations in the autograd graph of a tensor or operation; a path ends at one in `until`.

    A leaf is in it as the operation that accumulates its gradient, with the leaf as its `variable`. See
    https://docs.pytorch.org/docs/stable/notes/autograd.html
    """
    seen: set[Any] = set()
    waiting: list[Any] = [getattr(outputs, "grad_fn", outputs)]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node not in until:
            waiting += [following for following, _ in node.next_functions]
    return seen


def last_operation(outputs: Tensor) -> str:
    """Return the name of the operation that made the values of a tensor, as in `Sigmoid`; empty for a leaf."""
    node = outputs.grad_fn
    while node is not None:
        name = _NUMBER.sub("", node.name())
        if name not in _CARRIES:
            return name
        node = node.next_functions[0][0] if node.next_functions else None
    return ""
