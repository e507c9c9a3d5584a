"""Other learning rates at the steps of optimizers alone: whatever the loop or a scheduler reads is what it set."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.optim import Optimizer

    from retspec.faults._patching import Chance


class Rates:
    """Multiplies the rate of every parameter group while its optimizer steps."""

    def __init__(self, factor: float, chance: Chance) -> None:
        self._factor, self._chance = factor, chance
        self._own: list[tuple[dict[str, Any], Any]] = []
        """The groups of the optimizer that steps, each with its own rate."""
        self._stepping: Optimizer | None = None

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Change the rates from now on: hooks that were there before see the changed ones."""
        from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

        handles = register_optimizer_step_pre_hook(self._before), register_optimizer_step_post_hook(self._after)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self._put_back()

    def _before(self, optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        if self._stepping is not None:  # one inside another, which may share its groups
            return
        self._stepping = optimizer
        for group in optimizer.param_groups:
            rate = group.get("lr")
            if rate is not None:
                self._own.append((group, rate))
                self._chance.taken = self._chance.taken or float(rate) > 0
                group["lr"] = rate * self._factor

    def _after(self, optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        if optimizer is self._stepping:
            self._put_back()

    def _put_back(self) -> None:
        self._stepping = None
        while self._own:
            group, rate = self._own.pop()
            group["lr"] = rate
