"""Seeing criteria, by a function mode of torch."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode, _get_current_function_mode

from retspec.facts.loop import WatchedCriterion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CRITERIA: dict[Callable[..., Any], str] = {
    functional.cross_entropy: "cross_entropy",
    functional.nll_loss: "nll_loss",
    functional.binary_cross_entropy_with_logits: "bce_with_logits",
    functional.binary_cross_entropy: "binary_cross_entropy",
    functional.mse_loss: "mse_loss",
    functional.l1_loss: "l1_loss",
    functional.smooth_l1_loss: "smooth_l1_loss",
    functional.huber_loss: "huber_loss",
    functional.kl_div: "kl_div",
}
_SOFTMAXES = frozenset(
    {
        *(functional.softmax, torch.softmax, Tensor.softmax),
        *(functional.log_softmax, torch.log_softmax, Tensor.log_softmax),
        *(torch.logsumexp, Tensor.logsumexp),
    }
)
"""What a criterion that wants logits does with them."""
_LOOKED_AT = 3
"""Calls of a criterion whose input is looked at: each costs a transfer from the device."""


class LossMode(TorchFunctionMode):
    """Notes each call of a criterion of torch, and of a softmax, which others are made of.

    A mode sees the functions that the thread that entered it calls, those inside torch.nn included:
    https://docs.pytorch.org/docs/stable/torch.overrides.html
    """

    def __init__(self, criteria: Criteria) -> None:
        super().__init__()
        self._criteria = criteria
        self._is_paused = False

    def __torch_function__(
        self, function: Any, _types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, and note what it was."""
        named = kwargs or {}
        result = function(*args, **named)
        if function in CRITERIA:
            self._criteria.note(function, result, args, named)
        elif function in _SOFTMAXES:
            self._criteria.note_softmax(args, named)
        return result

    def pause(self) -> None:
        """Look away while an optimizer updates: it calls many functions, and none that matters here.

        A mode of the user's own on top of this one, such as `with torch.device(...)`, leaves this one on.
        """
        if _get_current_function_mode() is self:  # type: ignore[no-untyped-call]
            self.__exit__(None, None, None)
            self._is_paused = True

    def resume(self) -> None:
        """Look again."""
        if self._is_paused:
            self.__enter__()  # type: ignore[no-untyped-call]
            self._is_paused = False


class Criteria:
    """The calls of criteria since the last step."""

    def __init__(self) -> None:
        self.seen: list[WatchedCriterion] = []
        self.targets: Tensor | None = None
        """The targets of the first call."""
        self.all_targets: list[Tensor] = []
        """Those of all calls before the first step."""
        self.call: Callable[[Tensor, Tensor], Tensor] | None = None
        """The mean criterion of the first backward pass, of logits and targets; None when there were several."""
        self._calls = 0
        self._is_first = True
        self._softmaxed: list[tuple[ref[Tensor], int]] = []
        """What a softmax was taken of, and over which dimension."""
        self._has_stepped = False
        self.nodes: dict[Any, float] = {}
        """What one mean counts in a criterion's output, by the graph node of that output."""

    def note(self, function: Callable[..., Any], result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Note a call of a function of torch with an input of shape (batch, ...) and a target."""
        name = CRITERIA[function]
        inputs = kwargs.get("input", args[0] if args else None)
        targets = kwargs.get("target", args[1] if len(args) > 1 else None)
        if not (isinstance(result, Tensor) and isinstance(inputs, Tensor) and isinstance(targets, Tensor)):
            return
        if result.grad_fn is None:  # an evaluation
            return
        reduction = str(kwargs.get("reduction", "mean"))
        self.nodes[result.grad_fn] = float(len(inputs)) if reduction == "sum" else 1.0
        self._note_targets(targets)
        self._calls += 1
        if self._is_first:
            self.call = _mean_of(function, args, kwargs) if self._calls == 1 else None
        if len(self.seen) < _LOOKED_AT:
            chosen = name in {"cross_entropy", "nll_loss"} and inputs.dim() > 1
            kind = input_kind(inputs.detach()) if name == "cross_entropy" and chosen else ""
            self.seen.append(WatchedCriterion(name, reduction, kind, inputs.shape[1] if chosen else None))

    def note_softmax(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Note a softmax before the first backward pass: a criterion that takes it of its input wants logits."""
        values = kwargs.get("input", args[0] if args else None)
        dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
        if self._is_first and isinstance(values, Tensor) and isinstance(dim, int):
            self._softmaxed.append((ref(values), dim % max(values.dim(), 1)))

    def note_module(self, module: nn.Module, inputs: Sequence[Any], result: Any) -> None:
        """Note the call of a module without parameters that makes a scalar of two tensors or more: a criterion."""
        tensors = [each for each in inputs if isinstance(each, Tensor)]
        if len(tensors) < 2 or not isinstance(result, Tensor) or result.numel() != 1 or result.grad_fn is None:  # noqa: PLR2004 - input and target
            return
        if next(module.parameters(), None) is not None:
            return
        self.nodes.setdefault(result.grad_fn, _counted(module, tensors[0]))
        if not self.seen or self.call is module:
            self._note_targets(tensors[1])
        if not self.seen:
            self.call = module
            reduction = str(getattr(module, "reduction", "mean"))
            kind = input_kind(tensors[0].detach()) if self._wants_logits(tensors[0]) else ""
            self.seen.append(WatchedCriterion(type(module).__name__, reduction, kind, None))

    def _wants_logits(self, inputs: Tensor) -> bool:
        """Whether a softmax was taken of rows (batch, classes, ...), as they entered."""
        return inputs.dim() > 1 and any(values() is inputs and dim == 1 for values, dim in self._softmaxed)

    def backward_followed(self) -> None:
        """Note that the first loss is complete."""
        self._is_first = False
        self._softmaxed.clear()

    def step_taken(self) -> None:
        """Let the graphs of a step go."""
        self.nodes.clear()
        self._has_stepped = True

    def _note_targets(self, targets: Tensor) -> None:
        if self._has_stepped and self.targets is not None:
            return
        copied = targets.detach().clone()
        self.all_targets.append(copied)
        self.targets = copied if self.targets is None else self.targets

    @property
    def first(self) -> WatchedCriterion | None:
        """The first call; its input kind is not logits if that of one of the calls that were looked at is not."""
        odd = [each for each in self.seen if each.input_kind not in {"", "logits"}]
        return (odd or self.seen or [None])[0]  # type: ignore[list-item]


def _mean_of(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the same criterion of other logits and targets, averaged."""
    options = inspect.signature(function).bind(*args, **kwargs).arguments
    kept = {name: value for name, value in options.items() if name not in {"input", "target"}}
    return partial(function, **{**kept, "reduction": "mean"})


def _counted(module: nn.Module, inputs: Tensor) -> float:
    return float(len(inputs)) if getattr(module, "reduction", "mean") == "sum" else 1.0


def input_kind(inputs: Tensor) -> str:
    """Return what rows (batch, classes, ...) look like: logits, probabilities, log-probabilities, no negative values.

    cross_entropy applies log_softmax itself, so that it wants logits:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    Probabilities are not negative and sum to one within what their data type can resolve; log-probabilities are those
    whose exponentials do. Where at least a tenth of the values is exactly zero and none is below, a ReLU cut them.
    """
    import torch

    rows = inputs.float()
    tolerance = {torch.bfloat16: 2e-2, torch.float16: 5e-3}.get(inputs.dtype, 1e-4)
    lowest, highest, sums, exponentials, zeros = torch.stack(
        [
            rows.min(),
            rows.max(),
            (rows.sum(1) - 1).abs().max(),
            (rows.exp().sum(1) - 1).abs().max(),
            (rows == 0).float().mean(),
        ]
    ).tolist()
    if lowest >= 0 and sums <= tolerance:
        return "probabilities"
    if highest <= 0 and exponentials <= tolerance:
        return "log-probabilities"
    if lowest == 0 and highest > 0 and zeros >= 0.1:  # noqa: PLR2004 - see above
        return "no negative values"
    return "logits"
