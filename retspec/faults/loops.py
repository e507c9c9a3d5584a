"""Faults of a training loop of the user's own: how it steps, schedules, accumulates, clips."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from math import inf
from typing import TYPE_CHECKING, Any

from retspec.faults import Frequency, fault
from retspec.faults._accumulation import undivided
from retspec.faults._adapters import without_adapters
from retspec.faults._patching import Chance, all_patched, entering
from retspec.faults._rates import Rates
from retspec.subjects.patching import everywhere_patched, patched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.subjects.training.watching.launching import Launch

_LOOP = "loop learning distributed"


@fault(families=_LOOP, noticed_by="stale_gradients", frequency=Frequency.OFTEN)
def zero_grad_missing(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """The gradients are never zeroed, and pile up."""
    from torch import nn
    from torch.optim import Optimizer

    chance = Chance("no `zero_grad` of torch met a gradient")

    def lost(_zero_grad: Callable[..., Any]) -> Callable[..., Any]:
        def nothing(owner: Any, *_args: Any, **_kwargs: Any) -> None:
            chance.taken = chance.taken or any(each.grad is not None for each in _parameters(owner))

        return nothing

    with chance.awaited(), all_patched(Optimizer, "zero_grad", lost), all_patched(nn.Module, "zero_grad", lost):
        yield


def _parameters(owner: Any) -> list[Any]:
    """Return the parameters of a module or an optimizer."""
    if hasattr(owner, "param_groups"):
        return [each for group in owner.param_groups for each in group["params"]]
    return [*owner.parameters()]


@fault(families=_LOOP, noticed_by="lr_rtol idle_groups unchanged_params loss_drop", frequency=Frequency.OFTEN)
def rate_zero_in_loop(own_training: Launch) -> Iterator[Launch]:
    """The learning rate is zero at every step of the loop."""
    chance = Chance("no optimizer took a step at a learning rate above zero")
    with chance.awaited():
        yield entering(own_training, lambda: Rates(0.0, chance).changed())


@fault(families=_LOOP, noticed_by="lr_rtol max_loss_rise loss_drop nonfinite_steps", frequency=Frequency.OFTEN)
def rate_times_100_in_loop(own_training: Launch) -> Iterator[Launch]:
    """The learning rate is a hundred times as high at every step of the loop."""
    chance = Chance("no optimizer took a step at a learning rate above zero")
    with chance.awaited():
        yield entering(own_training, lambda: Rates(100.0, chance).changed())


@fault(families=_LOOP, noticed_by="scheduler_steps lr_rtol", frequency=Frequency.OFTEN)
def scheduler_still(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """The scheduler is never stepped."""
    from torch.optim.lr_scheduler import LRScheduler

    chance = Chance("no scheduler of torch is stepped")
    making: list[None] = []  # one entry for each constructor that runs: it takes a first step

    def made(construct: Callable[..., Any]) -> Callable[..., Any]:
        def constructing(*args: Any, **kwargs: Any) -> None:
            making.append(None)
            try:
                construct(*args, **kwargs)
            finally:
                making.pop()

        return constructing

    def still(step: Callable[..., Any]) -> Callable[..., Any]:
        def stay(*args: Any, **kwargs: Any) -> None:
            if making:
                step(*args, **kwargs)
            else:
                chance.taken = True

        return stay

    with chance.awaited(), all_patched(LRScheduler, "__init__", made), all_patched(LRScheduler, "step", still):
        yield


@fault(families=_LOOP, noticed_by="loss_weight_rtol loss_drop max_loss_rise", frequency=Frequency.RARELY)
def loss_negated(own_training: Launch) -> Iterator[Launch]:
    """The sign of the loss is wrong, and the training climbs."""
    import torch

    chance = Chance("no backward pass starts from a loss, one number")

    def negated(backward: Callable[..., Any]) -> Callable[..., Any]:
        def climb(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(tensors, torch.Tensor) or tensors.numel() != 1:
                return backward(tensors, *args, **kwargs)
            chance.taken = True
            return backward(-tensors, *args, **kwargs)

        return climb

    with chance.awaited():
        yield entering(own_training, lambda: patched(torch.autograd, "backward", negated))


@fault(families=_LOOP, noticed_by="loss_weight_rtol", frequency=Frequency.OFTEN)
def accumulation_not_divided(own_training: Launch) -> Iterator[Launch]:
    """The losses of micro-batches are added up, and not divided by their number."""
    chance = Chance("no loss is divided by the number of backward passes of a step, after its first step")
    with chance.awaited():
        yield entering(own_training, lambda: undivided(chance))


@fault(families=f"parameters {_LOOP}", noticed_by="unowned_params", frequency=Frequency.OFTEN)
def adapter_not_in_optimizer(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """The optimizer gets no parameter of the adapter."""
    from torch.optim import Optimizer

    chance = Chance("no optimizer gets parameters of an adapter beside others")

    def forgetful(construct: Callable[..., Any]) -> Callable[..., Any]:
        def constructing(optimizer: Optimizer, params: Any, *args: Any, **kwargs: Any) -> None:
            given = [params] if hasattr(params, "requires_grad") else [*params]
            left = without_adapters(given)
            chance.taken = chance.taken or left is not None
            construct(optimizer, given if left is None else left, *args, **kwargs)

        return constructing

    with chance.awaited(), patched(Optimizer, "__init__", forgetful):
        yield


@fault(families=_LOOP, noticed_by="still_averages", frequency=Frequency.SOMETIMES)
def average_still(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """The average of the weights is never updated."""
    from torch.optim.swa_utils import AveragedModel

    chance = Chance("no average of the weights, of torch or timm, is updated")

    def lost(_update: Callable[..., Any]) -> Callable[..., Any]:
        def nothing(*_args: Any, **_kwargs: Any) -> None:
            chance.taken = True

        return nothing

    with chance.awaited(), ExitStack() as stack:
        stack.enter_context(patched(AveragedModel, "update_parameters", lost))
        if find_spec("timm"):
            from timm.utils import ModelEma, ModelEmaV2, ModelEmaV3

            for kind in (ModelEma, ModelEmaV2, ModelEmaV3):
                stack.enter_context(patched(kind, "update", lost))
        yield


@fault(families=_LOOP, noticed_by="max_clipped_norm", frequency=Frequency.SOMETIMES)
def clipping_lost(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """The gradients are not clipped, whatever their norm."""
    from torch.nn.utils.clip_grad import clip_grad_norm_

    chance = Chance("no `clip_grad_norm_` of torch met a norm above its limit")

    def lost(clip: Callable[..., Any]) -> Callable[..., Any]:
        def measure(parameters: Any, max_norm: float, *args: Any, **kwargs: Any) -> Any:
            norm = clip(parameters, inf, *args, **kwargs)
            chance.taken = chance.taken or bool(norm > max_norm)
            return norm

        return measure

    with chance.awaited(), everywhere_patched(clip_grad_norm_, lost):
        yield
