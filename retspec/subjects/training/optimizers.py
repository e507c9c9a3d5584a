"""Build the optimizer and the scheduler that a recipe names, from torch.optim.

Names are the class names in lower case, arguments the same: https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, describe, did_you_mean
from retspec.records import OPTIMIZERS, SCHEDULERS, is_reference
from retspec.subjects.training.own_optimizer import SCHEDULER, own_optimizer, own_scheduler, require_a_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import torch
    from torch import nn
    from torch.optim.lr_scheduler import LRScheduler

    from retspec.records import Recipe

_PLACE = "train.optimizer"


def optimization(model: nn.Module, recipe: Recipe) -> tuple[torch.optim.Optimizer, Any]:
    """Return the optimizer of a recipe and its scheduler, None for a constant learning rate.

    Raises what `make_optimizer` and `make_scheduler` raise, and SubjectError for two schedulers, or an optimizer of the
    user's own that cannot be used.
    """
    scheduler = None
    if isinstance(recipe.optimizer, str) and is_reference(recipe.optimizer):
        optimizer, scheduler = own_optimizer(model, recipe.optimizer)
        require_a_share(model, optimizer, recipe.optimizer)
    else:
        optimizer = make_optimizer(model.named_parameters(), recipe)
    if scheduler is not None and recipe.scheduler is not None:
        raise SubjectError(
            f"{recipe.optimizer} gave a scheduler, too; remove `scheduler`, or return no pair",
            path=SCHEDULER,
        )
    return optimizer, make_scheduler(optimizer, recipe) if scheduler is None else scheduler


def make_optimizer(named: Iterable[tuple[str, nn.Parameter]], recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer over the parameters that require a gradient.

    Raises SubjectError for an argument that the optimizer does not accept, for a pattern that matches no parameter, and
    when the installed torch does not have the optimizer.
    """
    from torch import optim

    name, given = _named(recipe.optimizer)
    make = _classes(optim, OPTIMIZERS)[name]
    accepted = _accepted(make, "params")
    _require_known(name, given, accepted, _PLACE)
    if recipe.weight_decay and "weight_decay" not in accepted:
        raise SubjectError(f"{name} has no weight decay; remove `weight_decay`", path="train.weight_decay")
    own = {"lr": recipe.lr}
    own |= {"weight_decay": recipe.weight_decay} if "weight_decay" in accepted else {}
    own |= {"momentum": recipe.momentum} if recipe.momentum and "momentum" in accepted else {}
    trainable = {name: parameter for name, parameter in named if parameter.requires_grad}
    optimizer: torch.optim.Optimizer = _made(name, make, _groups(trainable, recipe, accepted), {**own, **given}, _PLACE)
    return optimizer


def make_scheduler(optimizer: torch.optim.Optimizer, recipe: Recipe) -> LRScheduler | None:
    """Return the recipe's scheduler, or None for a constant learning rate.

    Raises SubjectError for an argument that the scheduler does not accept, a scheduler that torch does not have, or one
    of the user's own that cannot be used.
    """
    from torch.optim import lr_scheduler

    if recipe.scheduler is None:
        return None
    if isinstance(recipe.scheduler, str):
        own: LRScheduler = own_scheduler(optimizer, recipe.scheduler)
        return own
    name, given = _named(recipe.scheduler)
    make = _classes(lr_scheduler, SCHEDULERS)[name]
    _require_known(name, given, _accepted(make, "optimizer"), SCHEDULER)
    scheduler: LRScheduler = _made(name, make, optimizer, given, SCHEDULER)
    return scheduler


def _named(choice: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments; YAML's lists become tuples, which torch expects."""
    if isinstance(choice, str):
        return choice, {}
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in choice.items()}
    return str(given.pop("name")), given


def _classes(module: Any, names: Sequence[str]) -> dict[str, Callable[..., Any]]:
    found = {name.lower(): value for name, value in vars(module).items() if isinstance(value, type)}
    return {name: found.get(name) or _absent(name) for name in names}


def _absent(name: str) -> Callable[..., Any]:
    def refuse(*_arguments: Any, **_others: Any) -> Any:
        raise ValueError(f"the installed torch has no {name}")

    return refuse


def _accepted(make: Callable[..., Any], first: str) -> list[str]:
    return [name for name in inspect.signature(make).parameters if name != first]


def _require_known(name: str, given: Mapping[str, Any], accepted: Sequence[str], place: str) -> None:
    for key in given:
        if key not in accepted:
            near = did_you_mean(key, accepted)
            raise SubjectError(
                f"{name} has no argument {key!r}{near}; it has {', '.join(accepted)}", path=f"{place}.{key}"
            )


def _made(name: str, make: Callable[..., Any], first: Any, arguments: Mapping[str, Any], place: str) -> Any:
    try:
        return make(first, **arguments)
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise SubjectError(f"{name} refuses its arguments: {describe(error)}", path=place) from error


def _groups(trainable: Mapping[str, nn.Parameter], recipe: Recipe, accepted: Sequence[str]) -> list[Any]:
    """Return the parameters, or their groups: a parameter belongs to the first group that it matches."""
    if not recipe.groups:
        return [*trainable.values()]
    rest = dict(trainable)
    groups = []
    for index, group in enumerate(recipe.groups):
        place = f"train.groups.{index}"
        if group.weight_decay is not None and "weight_decay" not in accepted:
            raise SubjectError("the optimizer has no weight decay", path=f"{place}.weight_decay")
        matched = {name for pattern in group.match for name in _matching(pattern, trainable, f"{place}.match")}
        own = {"lr": group.lr, "weight_decay": group.weight_decay}
        taken = [rest.pop(name) for name in trainable if name in matched and name in rest]
        if taken:
            groups.append({"params": taken, **{key: value for key, value in own.items() if value is not None}})
    return [*([{"params": [*rest.values()]}] if rest else []), *groups]


def _matching(pattern: str, trainable: Mapping[str, nn.Parameter], place: str) -> list[str]:
    try:
        found = [name for name in trainable if re.search(pattern, name)]
    except re.error as error:
        raise SubjectError(f"{pattern!r} is not a regular expression: {error}", path=place) from error
    if not found:
        parts = {part for name in trainable for part in (name, *name.split("."))}
        near = did_you_mean(pattern, parts)
        raise SubjectError(f"no trainable parameter matches {pattern!r}{near}", path=place)
    return found
