"""Finding what a training makes, among the objects that live."""

from __future__ import annotations

import gc
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import nn

_AVERAGES = frozenset({"AveragedModel", "ModelEma", "ModelEmaV2", "ModelEmaV3"})
"""Names of classes: the average of torch, those of timm, and copies of these, which many trainings have."""


@dataclass
class LivingObjects:
    """Optimizers, loss scalers, schedulers and averages of weights; a training need not hand them to anyone."""

    optimizers: list[Any] = field(default_factory=list)
    scalers: list[Any] = field(default_factory=list)
    schedulers: list[Any] = field(default_factory=list)
    averages: list[Any] = field(default_factory=list)

    @staticmethod
    def found() -> LivingObjects:
        """Return them all. There are hundreds of thousands of objects: this takes as long as many a small step."""
        return LivingObjects.among(gc.get_objects())

    @staticmethod
    def among(things: Iterable[Any]) -> LivingObjects:
        """Return those among some objects; types are asked: a lazy proxy would import its module when it is asked."""
        from torch.amp import GradScaler
        from torch.optim import Optimizer
        from torch.optim.lr_scheduler import LRScheduler

        found, averages = LivingObjects(), _average_kinds()
        wanted = (Optimizer, GradScaler, LRScheduler, *averages)
        for thing in things:
            kind = type(thing)
            if not issubclass(kind, wanted):
                continue
            if issubclass(kind, Optimizer) and "param_groups" in vars(thing):  # a wrapper has none of its own
                found.optimizers.append(thing)
            elif issubclass(kind, GradScaler):
                found.scalers.append(thing)
            elif issubclass(kind, LRScheduler) and hasattr(thing, "last_epoch"):
                found.schedulers.append(thing)
            elif issubclass(kind, averages):
                found.averages.append(thing)
        return found


class Makings:
    """What lived when a training began, and what it has made since, without keeping it alive."""

    def __init__(self) -> None:
        self._made: dict[int, ref[Any]] = {}
        self._schedulers: set[type] = set()
        """Their classes when the training began."""
        self._averages: tuple[type, ...] = ()
        """The same of averages that have a constructor."""

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Note what is made from now on.

        There is no hook for this: the constructors are wrapped, and put back. All optimizers and loss scalers go
        through those of torch's own classes, as their hooks need it; some schedulers, such as SequentialLR, have only
        one of their own.
        """
        from torch.amp import GradScaler
        from torch.optim import Optimizer
        from torch.optim.lr_scheduler import LRScheduler

        gc.collect()  # what an earlier training of this process left would be found among the living
        living = LivingObjects.found()
        for thing in (*living.optimizers, *living.scalers, *living.schedulers, *living.averages):
            self._note(thing)
        self._schedulers = {LRScheduler, *derived_from(LRScheduler)}
        self._averages = tuple(kind for kind in _average_kinds() if "__init__" in vars(kind))
        with ExitStack() as stack:
            for kind, name in ((Optimizer, "__init__"), (Optimizer, "__setstate__"), (GradScaler, "__init__")):
                stack.enter_context(self._noting(kind, name))
            for made in (*self._schedulers, *self._averages):
                if "__init__" in vars(made):
                    stack.enter_context(self._noting(made, "__init__"))
            yield

    def found(self) -> LivingObjects:
        """Return what lives of it."""
        from torch.optim.lr_scheduler import LRScheduler

        living = [thing for thing in (each() for each in self._made.values()) if thing is not None]
        found = LivingObjects.among(living)
        new = {kind for kind in derived_from(LRScheduler) if "__init__" in vars(kind)} - self._schedulers
        if new:  # the training's own, which may call no other constructor
            found.schedulers = LivingObjects.found().schedulers
        return found

    def averages(self) -> list[Any]:
        """Return the averages of weights that live.

        Where their library was imported since the training began, all objects are asked whether they are of it.
        """
        found = [thing for each in self._made.values() if issubclass(type(thing := each()), self._averages)]
        new = tuple(kind for kind in _average_kinds() if not issubclass(kind, self._averages))
        if new:
            kinds = (*new, *(child for kind in new for child in derived_from(kind)))
            found += [each for each in gc.get_referrers(*kinds) if issubclass(type(each), new)]
        return found

    def _note(self, thing: Any) -> None:
        self._made[id(thing)] = ref(thing)

    @contextmanager
    def _noting(self, kind: type, name: str) -> Iterator[None]:
        original = vars(kind)[name]

        @wraps(original)
        def make(thing: Any, *args: Any, **kwargs: Any) -> None:
            original(thing, *args, **kwargs)
            self._note(thing)

        setattr(kind, name, make)
        try:
            yield
        finally:
            setattr(kind, name, original)


def outermost_modules() -> list[nn.Module]:
    """Return the modules that live and are inside no other; types are asked, as above."""
    from torch import nn

    modules = [thing for thing in gc.get_objects() if issubclass(type(thing), nn.Module) and "_modules" in vars(thing)]
    inner = {id(child) for module in modules for child in module.children()}
    return [module for module in modules if id(module) not in inner]


def derived_from(kind: type) -> set[type]:
    """Return all classes that are derived from one."""
    children: list[type] = kind.__subclasses__()
    return {each for child in children for each in (child, *derived_from(child))}


def _average_kinds() -> tuple[type, ...]:
    """Return the classes of averages that are imported, by their names."""
    from torch import nn

    return tuple(kind for kind in (*derived_from(nn.Module), *object.__subclasses__()) if kind.__name__ in _AVERAGES)


def step_count(scheduler: Any) -> int:
    """Return how many steps a scheduler has taken, that of its constructor included; there is no public count.

    Not all keep one: SequentialLR, ReduceLROnPlateau and CosineAnnealingWarmRestarts count epochs alone, from 0 on.
    """
    return max(int(getattr(scheduler, "_step_count", 0)), int(scheduler.last_epoch) + 1)
