"""What each optimizer of a watched loop does: its steps, its gradients, its rates."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from retspec.subjects.training.norms import norms_of, total
from retspec.subjects.training.watching.unseen import unseen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from torch.optim import Optimizer

    from retspec.subjects.training.watching.backwards import BackwardUses

Signature = tuple[tuple[int, int] | None, ...]
"""Of each gradient its identity and version: whatever changes it in place changes its version."""


@dataclass(frozen=True)
class Applied:
    """A step of an optimizer, as it was noted."""

    optimizer: int
    backwards: int
    fed: bool
    stale: int
    losses: tuple[Tensor | None, ...]
    weights: tuple[float | None, ...]
    scale: float
    after_backward: Sequence[float | None] | None
    at_step: Sequence[float | None]
    seconds: float
    waited: float


@dataclass
class OptimizerLog:
    """The gradients of one optimizer, from step to step."""

    optimizer: Optimizer
    index: int
    uses: BackwardUses
    rates: list[tuple[float, ...]] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        self.begin()
        self._dirty = False
        self._last: Signature | None = None
        self._before_step: Signature | None = None
        self._at_last_step: Signature | None = None
        self.ever_fed: set[int] = set()
        self._versions: list[tuple[Tensor, int]] = []

    @property
    def parameters(self) -> list[Tensor]:
        """All its parameters; a training may add groups as it goes on."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    @property
    @unseen
    def size(self) -> int:
        """Elements of all its parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    def begin(self) -> None:
        """Start to count the backward passes of a step."""
        self._passes: set[int] = set()
        self.losses: list[Tensor | None] = []
        self.weights: list[float | None] = []
        self.after_backward: list[float | None] | None = None

    @unseen
    def before_backward(self, *, in_step: bool) -> Signature:
        """Look whether the gradients were zeroed since the last backward pass or step."""
        now = self._signature()
        if now != self._last and self._is_clean(now):
            if not in_step and self._is_waiting():
                self.uses.zeroed |= self._passes
            self.begin()
            self._dirty = False
        return now

    @unseen
    def after_backward_of(self, number: int, loss: Tensor | None, weight: float | None, before: Signature) -> None:
        """Note a backward pass, if it reached this optimizer's parameters."""
        now = self._signature()
        if now != before:
            self._passes.add(number)
            self._versions = [(p, p._version) for p in self.parameters if p.grad is not None]  # noqa: SLF001 - see below
            self.losses.append(loss)
            self.weights.append(weight)
            self.after_backward = norms_of(self.parameters)
            self.ever_fed.update(id(p) for p in self.parameters if p.grad is not None)
        self._last = now

    @unseen
    def before_step(self) -> None:
        """Note the gradients with which a step begins."""
        self._before_step = self._signature()

    @unseen
    def take(self, scale: float, seconds: float, waited: float) -> Applied:
        """Return the step that was just taken, and begin the next one.

        The gradients are read after the step: an optimizer with a closure makes them on its way.
        """
        now = self._signature()
        known = self.after_backward if now == self._last else None
        at_step = norms_of(self.parameters) if known is None else known
        self.ever_fed.update(id(p) for p in self.parameters if p.grad is not None)
        stale = sum(1 for each in now if each is not None) if self._dirty and total(at_step) else 0
        fed = (bool(self._passes) or now != self._at_last_step) and not self._is_starved(now, at_step)
        (self.uses.stepped if fed else self.uses.zeroed).update(self._passes)
        applied = Applied(
            optimizer=self.index,
            backwards=len(self._passes),
            fed=fed,
            stale=stale if fed and self.steps else 0,
            losses=tuple(self.losses),
            weights=tuple(self.weights),
            scale=scale,
            after_backward=self.after_backward,
            at_step=at_step,
            seconds=seconds,
            waited=waited,
        )
        self.rates.append(tuple(_rate(group.get("lr")) for group in self.optimizer.param_groups))
        self.steps += 1
        self._dirty, self._last, self._at_last_step = True, now, now
        self.begin()
        return applied

    def _is_starved(self, now: Signature, at_step: Sequence[float | None]) -> bool:
        """Whether a step found no gradient: none was there, or all were zeroed after the last backward pass.

        One that changes the gradients itself (it may zero them when it is done with them) is taken for fed.
        """
        if now != self._before_step:
            return False
        zeroed = now != self._last and self.after_backward is not None and total(self.after_backward) > 0
        return not any(now) or (zeroed and not total(at_step))

    def _is_waiting(self) -> bool:
        """Whether finite gradients wait for a step that would use them.

        A loss scaler skips a step with others, and sharpness-aware minimization uses them to move the weights.
        """
        norms = self.after_backward
        is_as_it_was = all(parameter._version == version for parameter, version in self._versions)  # noqa: SLF001 - as below
        return norms is not None and isfinite(total(norms)) and is_as_it_was

    def _signature(self) -> Signature:
        grads = (parameter.grad for parameter in self.parameters)
        return tuple(None if grad is None else (id(grad), grad._version) for grad in grads)  # noqa: SLF001 - documented as a debugging aid

    def _is_clean(self, signature: Signature) -> bool:
        return not any(signature) or not total(norms_of(self.parameters))


def _rate(rate: Any) -> float:
    """Return a learning rate; NaN where an optimizer sets it itself, as Adafactor may."""
    return nan if rate is None else float(rate)
