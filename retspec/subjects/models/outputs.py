"""The logits in the output of a model, and the difference of two outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, SubjectError, describe
from retspec.subjects.callables import load_callable

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_NAMED = 8
"""Entries of an output that a message names."""


PLACE = "model.output"
_CALLABLE = re.compile(r"[\w.]+:\w+")


def logits_of(output: Any) -> Tensor:
    """Return the logits, (batch, classes), in the output of a model.

    They are the output itself, its key or attribute `logits`, or the only tensor in it, however deep the others lie.
    Raises SubjectError, with what the model returned, where that is not certain: `model.output` says it.
    """
    import torch
    from torch.utils._pytree import tree_leaves

    if isinstance(output, torch.Tensor):
        return output
    entries = _entries(output)
    found = entries.get("logits", getattr(output, "logits", None))
    tensors = [entry for entry in entries.values() if isinstance(entry, torch.Tensor)]
    if not isinstance(found, torch.Tensor):
        if not tensors and not _holds_tensors(output):
            raise _no_tensor(output)
        inside = [leaf for entry in entries.values() for leaf in tree_leaves(_inside(entry))]
        if len(tensors) != 1 or sum(isinstance(leaf, torch.Tensor) for leaf in inside) != 1:
            raise _unclear(output, "name the logits in `model.output`: a key, an index or package.module:callable")
        found = tensors[0]
    return found


def _holds_tensors(output: Any) -> bool:
    """Whether there are tensors somewhere in an output, such as in the attributes of an object."""
    import torch
    from torch.utils._pytree import tree_leaves

    inside = vars(output).values() if hasattr(output, "__dict__") else ()
    return any(isinstance(leaf, torch.Tensor) for leaf in (*tree_leaves(output), *inside))


def _no_tensor(output: Any) -> SubjectError:
    if output is None:
        return SubjectError("the model returns nothing; let `forward` return its logits", path="model")
    return SubjectError(
        f"the model returns {type(output).__name__}, and no tensor; let `forward` return its logits", path="model"
    )


def is_unclear(output: Any) -> bool:
    """Whether an output holds several tensors, none of which is certain to be the logits."""
    try:
        logits_of(output)
    except SubjectError:
        return True
    return False


class Picks:
    """A forward hook that replaces what a model returns by its logits, as `model.output` names them.

    Raises SubjectError when the callable cannot be imported.
    """

    def __init__(self, output: str | int) -> None:
        self._output = output
        is_callable = isinstance(output, str) and _CALLABLE.fullmatch(output)
        self._function = load_callable(str(output), path=PLACE) if is_callable else None
        self.whole: list[Any] | None = None
        """Where what the model returned is kept; None unless somebody asks for it."""

    def __call__(self, _model: nn.Module, _inputs: Any, output: Any) -> Tensor:
        """Return the logits in an output; raises SubjectError when there is no tensor of that name."""
        import torch

        if self.whole is not None:
            self.whole.append(output)
        found = self._called(output) if self._function else self._found(output)
        if not isinstance(found, torch.Tensor):
            raise _unclear(output, f"there is no tensor at {self._output!r}")
        return found

    def _called(self, output: Any) -> Any:
        try:
            return self._function(output)  # type: ignore[misc]  # only called with one
        except Exception as error:
            raise SubjectError(f"{self._output} raised {describe(error)}", path=PLACE) from error

    def _found(self, output: Any) -> Any:
        entries = _entries(output)
        if isinstance(output, tuple) and isinstance(self._output, int):
            return output[self._output] if self._output < len(output) else None
        missing = getattr(output, self._output, None) if isinstance(self._output, str) and not entries else None
        return entries.get(self._output, missing)


def return_logits(model: nn.Module, output: str | int | Picks) -> None:
    """Let a model return its logits alone from now on, as `model.output` names them; a former choice is replaced."""
    for key, hook in [*model._forward_hooks.items()]:  # noqa: SLF001 - torch offers no way to look at them
        if isinstance(hook, Picks):
            del model._forward_hooks[key]  # noqa: SLF001 - the same
    model.register_forward_hook(output if isinstance(output, Picks) else Picks(output))


def choice_of(model: nn.Module) -> Picks | None:
    """Return the choice that `return_logits` made for a model, or None."""
    return next((hook for hook in model._forward_hooks.values() if isinstance(hook, Picks)), None)  # noqa: SLF001 - the same


def whole_output(model: nn.Module, inputs: Any) -> tuple[Any, Tensor | None]:
    """Return all that a model returns, and its logits where `model.output` names them; None where it does not."""
    picks = choice_of(model)
    if picks is None:
        return model(inputs), None
    kept: list[Any] = []
    picks.whole = kept
    try:
        logits: Tensor = model(inputs)
    finally:
        picks.whole = None
    return kept[0], logits


def _entries(output: Any) -> dict[Any, Any]:
    """Return the entries by key, field or index, of a mapping, dataclass, named tuple, tuple or list; else none."""
    if isinstance(output, Mapping):
        return dict(output)
    if is_dataclass(output):
        return {field.name: getattr(output, field.name, None) for field in fields(output)}
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return dict(zip(output._fields, output, strict=False))
    return dict(enumerate(output)) if isinstance(output, (tuple, list)) else {}


def _inside(entry: Any, depth: int = 4) -> Any:
    """Return the entries of an entry, and theirs, as lists."""
    entries = _entries(entry) if depth else {}
    return [_inside(each, depth - 1) for each in entries.values()] if entries else entry


def _unclear(output: Any, why: str) -> SubjectError:
    import torch

    def shown(entry: Any) -> str:
        return str(tuple(entry.shape)) if isinstance(entry, torch.Tensor) else type(entry).__name__

    kind = "tensor" if isinstance(output, torch.Tensor) else type(output).__name__
    entries = ", ".join(f"{key!r}: {shown(entry)}" for key, entry in [*_entries(output).items()][:MOST_NAMED])
    holds = f" a {kind} of {entries}" if entries else f" {kind} {shown(output)}" if kind == "tensor" else f" {kind}"
    return SubjectError(f"the model returns{holds}; {why}", path=PLACE)


def largest_difference(first: Tensor, second: Tensor) -> float:
    """Return the largest absolute difference of two tensors of one shape.

    Raises Inconclusive when an element of either is not finite.
    """
    difference = (first - second).abs().max()
    if not difference.isfinite():
        raise Inconclusive("an output is not finite; look for NaN in weights and inputs (`nonfinite_steps`)")
    return float(difference)
