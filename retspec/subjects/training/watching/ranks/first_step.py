"""What a rank was fed, and which gradients it had, at its first optimizer step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from retspec.subjects.training.watching.watch import Watch

Arguments = tuple[list[Any], dict[str, Any]]
"""Of one call, as plain data and tensors."""


class FirstStep:
    """Copies of what is compared after the training has ended."""

    def __init__(self) -> None:
        self.calls: dict[int, list[Arguments]] = {}
        """Of each module near the top, by its identity."""
        self.after_backward: dict[str, Tensor] = {}
        """Gradients after the last backward pass, divided by the loss scale, before anything changes them."""
        self.before_clip: dict[str, Tensor] = {}
        """Gradients before torch clipped them, where it did: a loop that averages them itself has done so by then."""
        self.at_step: dict[str, Tensor] = {}
        """Gradients at the step: one that averages them itself does so in between."""

    def note_call(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Note a training forward pass."""
        self.calls.setdefault(id(module), []).append(([_copied(each) for each in args], _copied(kwargs)))

    def note_backward(self, watch: Watch) -> None:
        """Note the gradients that a backward pass left."""
        self.after_backward = gradients_of(watch, watch.scale)
        self.before_clip = {}

    def note_clip(self, watch: Watch) -> None:
        """Note the gradients that are about to be clipped; the first time only, as each module may be by itself."""
        self.before_clip = self.before_clip or gradients_of(watch, 1.0)

    def note_step(self, watch: Watch) -> None:
        """Note the gradients with which the step begins."""
        self.at_step = gradients_of(watch, 1.0)

    def record(self, watch: Watch) -> dict[str, Any]:
        """Return all of it for the comparison, in types that `torch.load` takes for data."""
        calls = [] if watch.trainee is None else self.calls.get(id(watch.trainee.module), [])
        first = watch.applied[0] if watch.applied else None
        return {
            "calls": calls,
            "targets": watch.criteria.all_targets,
            "after_backward": self.after_backward,
            "before_clip": self.before_clip,
            "at_step": self.at_step,
            "losses": [] if first is None else [None if each is None else float(each) for each in first.losses],
            "weights": [] if first is None else list(first.weights),
            "scale": 1.0 if first is None else first.scale,
        }


def gradients_of(watch: Watch, scale: float) -> dict[str, Tensor]:
    """Return copies of the gradients by the names of the module that trains."""
    if watch.trainee is None:
        return {}
    named = watch.trainee.module.named_parameters()
    return {name: p.grad.detach() / scale for name, p in named if p.grad is not None}


def _copied(value: Any) -> Any:
    """Return a copy as plain data and tensors; of anything else, what it is called."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {str(name): _copied(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(each) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return f"<{type(value).__name__}>"
