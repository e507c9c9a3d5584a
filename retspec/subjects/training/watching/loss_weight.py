"""Reading from the graph of a loss by how much its criterion was multiplied."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

_SAME = {"ViewBackward0", "ReshapeAliasBackward0", "SqueezeBackward0", "SqueezeBackward1", "UnsqueezeBackward0"}
_SAME |= {"AliasBackward0", "CloneBackward0", "ToCopyBackward0", "SelectBackward0", "NegBackward0"}
_FACTORS = {"MulBackward0", "MulBackward1", "DivBackward0", "DivBackward1"}
_SUMS = {"AddBackward0", "AddBackward1", "SubBackward0", "SubBackward1", "StackBackward0", "CatBackward0"}
_DEEPEST = 64
"""Nodes between a loss and its criterion; what is farther away is no scaling of a loss."""


def loss_weight(loss: Tensor, criteria: Mapping[Any, float]) -> float | None:
    """Return the factor of the mean criterion in a loss, a scalar; None when it cannot be read.

    criteria: for the graph node of each criterion's output that is known, what one mean counts in it: 1 where the
    criterion averages, the number of samples where it adds up.

    The graph is walked from the loss through multiplications and divisions by one number, and through sums. A loss of
    several terms has the weight of its known criteria if these agree. A criterion that nobody knows is taken for a
    mean where it is the only term. The nodes and their saved operands are described in
    https://docs.pytorch.org/docs/stable/notes/autograd.html#saved-tensors.
    """
    if loss.grad_fn is None:
        return None
    terms = list(_terms(loss.grad_fn, 1.0, criteria, _DEEPEST))
    known = [factor * criteria[node] for factor, node in terms if node in criteria]
    unknown = [factor * _counted(node) for factor, node in terms if node not in criteria]
    return _agreed(known or unknown)


def _agreed(weights: Sequence[float]) -> float | None:
    first = weights[0] if weights else None
    return first if first is not None and all(abs(w - first) <= 1e-6 * abs(first) for w in weights) else None


def _terms(node: Any, factor: float, criteria: Mapping[Any, float], depth: int) -> Iterator[tuple[float, Any]]:
    """Give each term of a loss with its factor."""
    name = node.name()
    inner = [function for function, _ in node.next_functions if function is not None]
    if node in criteria or depth == 0 or not inner:
        yield factor, node
    elif name in _FACTORS and len(inner) == 1 and (number := _other_operand(node)) is not None:
        yield from _terms(inner[0], factor / number if name.startswith("Div") else factor * number, criteria, depth - 1)
    elif name in _SUMS:
        for index, function in enumerate(inner):
            sign = -1.0 if name.startswith("Sub") and index else 1.0
            yield from _terms(function, factor * sign, criteria, depth - 1)
    elif name in _SAME or (name in {"MeanBackward0", "SumBackward0"} and _elements(node) == 1):
        yield from _terms(inner[0], -factor if name == "NegBackward0" else factor, criteria, depth - 1)
    else:
        yield factor, node


def _other_operand(node: Any) -> float | None:
    """Return the one number that a multiplication or division has as its other operand; None for more than one."""
    for attribute in ("_saved_other", "_saved_self"):
        operand = getattr(node, attribute, None)
        if operand is None:
            continue
        if not hasattr(operand, "numel"):
            return float(operand) or None
        return float(operand) or None if operand.numel() == 1 else None
    return None


def _elements(node: Any) -> int:
    return prod(getattr(node, "_saved_self_sym_sizes", (0,)))


def _counted(node: Any) -> float:
    """Return what a mean counts in a reduction that no known criterion made."""
    sizes = getattr(node, "_saved_self_sym_sizes", ())
    return float(sizes[0]) if node.name() == "SumBackward0" and sizes else 1.0
