"""An optimizer and a scheduler that functions of the user's own build."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.facts import Owners
from retspec.subjects.callables import call, load_callable

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

OPTIMIZER = "train.optimizer"
SCHEDULER = "train.scheduler"
_SHOWN = 3
"""Parameters that a message names."""


def own_optimizer(model: nn.Module, reference: str) -> tuple[Optimizer, Any]:
    """Return the optimizer that `package.module:callable(model)` builds, and its scheduler, None without one.

    Raises SubjectError when the function fails, gives something else, changes which parameters train, or gives an
    optimizer that needs a closure.
    """
    import torch

    before = _training(model)
    made = call(reference, load_callable(reference, path=OPTIMIZER), (model,), path=OPTIMIZER)
    optimizer, *rest = made if isinstance(made, (tuple, list)) and made else (made,)
    if not isinstance(optimizer, torch.optim.Optimizer) or len(rest) > 1:
        raise SubjectError(f"{reference} gave {_given(made)}, not an optimizer of torch", path=OPTIMIZER)
    scheduler = rest[0] if rest else None
    if isinstance(scheduler, torch.optim.Optimizer):
        raise SubjectError(
            f"{reference} gave two optimizers, and the recipe has one; watch the training itself: "
            "`train: {script: train.py}`",
            path=OPTIMIZER,
        )
    if changed := [*before.keys() ^ _training(model).keys()]:
        raise SubjectError(
            f"{reference} changes which parameters train ({_listed(sorted(changed))}); do so where the model is built",
            path=OPTIMIZER,
        )
    if _needed(type(optimizer).step.__get__(optimizer)):  # a scheduler patches the method of the object
        raise SubjectError(
            f"{type(optimizer).__name__} of {reference} calls the training step itself (`step(closure)`), which the "
            "recipe cannot do",
            path=OPTIMIZER,
        )
    if scheduler is not None:
        _require_scheduler(scheduler, optimizer, reference, OPTIMIZER)
    return optimizer, scheduler


def own_scheduler(optimizer: Optimizer, reference: str) -> Any:
    """Return what `package.module:callable(optimizer)` builds: it takes a step after each optimizer step.

    Raises SubjectError when the function fails, or gives something without a `step()`.
    """
    made = call(reference, load_callable(reference, path=SCHEDULER), (optimizer,), path=SCHEDULER)
    _require_scheduler(made, optimizer, reference, SCHEDULER)
    return made


def owners_of(model: nn.Module, optimizer: Optimizer) -> Owners:
    """Return which parameters that train an optimizer does not hold, and which of its own are not the model's."""
    kind = type(optimizer).__name__
    held = {id(parameter): parameter for group in optimizer.param_groups for parameter in group["params"]}
    own = {*map(id, model.parameters())}
    return Owners(
        model=type(model).__name__,
        optimizers=(kind,),
        unowned=tuple(name for name, parameter in _training(model).items() if id(parameter) not in held),
        foreign=tuple(f"{kind}: a tensor of shape {tuple(p.shape)}" for key, p in held.items() if key not in own),
        extent={},
    )


def require_a_share(model: nn.Module, optimizer: Optimizer, reference: str) -> None:
    """Raise SubjectError when an optimizer of the user's own holds none of the parameters that train."""
    trainable = _training(model)
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if not trainable or {*map(id, held)} & {*map(id, trainable.values())}:
        return
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = [
        f"{names[id(p)]!r}, which is frozen" if id(p) in names else f"a tensor of shape {tuple(p.shape)} of no module"
        for p in held
    ]
    raise SubjectError(
        f"{type(optimizer).__name__} of {reference} holds none of the {len(trainable)} parameters that train "
        f"({_listed([*trainable])}); it holds {_listed(found) or 'nothing'}",
        path=OPTIMIZER,
    )


def _require_scheduler(scheduler: Any, optimizer: Optimizer, reference: str, place: str) -> None:
    step = getattr(scheduler, "step", None)
    if not callable(step) or isinstance(scheduler, type):
        raise SubjectError(f"{reference} gave {_given(scheduler)}, not a scheduler: it has no step()", path=place)
    if needed := _needed(step):
        raise SubjectError(
            f"{type(scheduler).__name__} of {reference} needs {', '.join(needed)} in step(), and the recipe calls "
            "step() after each optimizer step",
            path=place,
        )
    other = getattr(getattr(scheduler, "optimizer", None), "param_groups", optimizer.param_groups)
    if other is not optimizer.param_groups:
        raise SubjectError(f"{type(scheduler).__name__} of {reference} has another optimizer", path=place)


def _training(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def _needed(step: Any) -> list[str]:
    """Return the parameters that a call without arguments lacks."""
    try:
        parameters = inspect.signature(step).parameters.values()
    except (TypeError, ValueError):  # a callable without a signature
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in optional]


def _given(made: Any) -> str:
    if made is None:
        return "nothing"
    if isinstance(made, type):
        return f"the class {made.__name__}"
    parts = ", ".join(type(each).__name__ for each in made[:_SHOWN]) if isinstance(made, (tuple, list)) else ""
    return f"{type(made).__name__}{f' of {parts}' if parts else ''}"


def _listed(words: list[str]) -> str:
    more = [f"and {len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return ", ".join([*words[:_SHOWN], *more])
