"""`FaultInTraining`: a planted fault while a training of the user's own runs, in what it calls or in its module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

from torch.optim import Optimizer

from retspec.errors import DoesNotApply, SubjectError
from retspec.plugins.kinds import MODEL, OWN_TRAINING
from retspec.subjects.models.peft_types import outermost_wrapper
from retspec.subjects.patching import everywhere_patched, patched
from retspec.subjects.training.watching.living import outermost_modules
from retspec.subjects.training.watching.trainee import user_module
from retspec.subjects.training.watching.unseen import unseen
from retspec.subjects.training.watching.watch import EndOfWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from retspec.subjects.planting import Planting
    from retspec.subjects.training.watching.launching import Launch
    from retspec.subjects.training.watching.watch import Watch

_NO_OPTIMIZER = "the training made no optimizer over the parameters of a module"
_ANOTHER_MODULE = "it puts another module in place of the one that trains"
_NOT_CALLED = "the module that holds all that trains is not the one that the training takes its outputs from"


class FaultInTraining:
    """Plants a fault of a training into it while it runs, and one of a model into the module that it makes.

    The latter when the first optimizer is made: nothing casts, moves or fills the module after that. One that changes
    which parameters train is planted as soon as peft has wrapped the module, where it does: so the user's own filter of
    parameters, and what wraps the module next, meet it as they would meet the mistake.
    """

    def __init__(self, planting: Planting) -> None:
        self._planting = planting
        self._module: nn.Module | None = None
        """That has the fault."""
        self._switched: list[tuple[nn.Parameter, bool]] = []
        """The parameters that the fault lets train, or not."""
        self._failure: Exception = DoesNotApply(_NO_OPTIMIZER)
        self._is_over = False

    @contextmanager
    def during(self, launch: Launch) -> Iterator[Launch]:
        """Give a launch that has the fault when it is started.

        One of a model stays in it until the planting is undone, for all that is measured on it.
        Raises DoesNotApply when the training cannot have the fault, here or at the end.
        """
        if self._planting.changes(MODEL) is None:
            with self._planting.during(OWN_TRAINING, launch) as changed:
                yield changed
            return
        with ExitStack() as stack:
            stack.callback(setattr, self, "_is_over", True)  # noqa: FBT003 - that of `setattr`
            stack.enter_context(patched(Optimizer, "__init__", self._making))
            if find_spec("peft") is not None:
                wrap = import_module("peft").get_peft_model
                stack.enter_context(everywhere_patched(wrap, self._wrapping))
            try:
                yield launch
            except SubjectError as error:  # what the fault does is not for this module
                raise (self._failure if self._module is None else DoesNotApply(str(error))) from error
        if self._module is None:
            raise self._failure

    def require_seen(self, watch: Watch) -> None:
        """Raise DoesNotApply when the module that has the fault is not the one that was trained and is measured."""
        if self._module is None or watch.trainee is None:
            return
        trained, ran = watch.trainee.module, watch.forwards.ran
        is_inside = any(each is self._module for each in trained.modules())
        is_called = self._module is trained or (is_inside and id(self._module) in ran)
        shares = any(id(parameter) in watch.trainee.names for parameter in self._module.parameters())
        if not (is_called or (self._switched and shares)):
            raise DoesNotApply(_NOT_CALLED)

    # The moments -------------------------------------------------------------------------------------------------

    def _wrapping(self, wrap: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        def wrapping(*args: Any, **kwargs: Any) -> nn.Module:
            module = wrap(*args, **kwargs)
            return module if self._is_over or self._module is not None else self._after_wrapping(module)

        return wrapping

    def _making(self, construct: Callable[..., None]) -> Callable[..., None]:
        def making(optimizer: Optimizer, params: Any, *args: Any, **kwargs: Any) -> None:
            given = params if self._is_over else _listed(params)
            if not self._is_over:
                self._before_optimizer([*_tensors(given)])
            construct(optimizer, given, *args, **kwargs)

        return making

    @unseen
    def _after_wrapping(self, module: nn.Module) -> nn.Module:
        before = {id(parameter): parameter.requires_grad for parameter in module.parameters()}
        try:
            planted, undoing = self._planting.tried(MODEL, module)
        except DoesNotApply as error:  # what is outside of the wrapper may have what the fault needs
            self._failure = error
            return module
        except Exception as error:  # noqa: BLE001 - a fault of a plugin may raise anything; it is not the user's
            self._end(error)
        now = [(parameter, before.get(id(parameter))) for parameter in planted.parameters()]
        switched = [(parameter, not was) for parameter, was in now if was is (not parameter.requires_grad)]
        if not switched and self._planting.can_be_undone:
            undoing.close()
            return module
        self._planting.keep(undoing)
        self._module, self._switched = planted, switched
        return planted

    @unseen
    def _before_optimizer(self, parameters: list[Tensor]) -> None:
        if self._module is not None:
            for parameter, trains in self._switched:  # what followed the wrapping may have switched it back
                parameter.requires_grad_(trains)
            return
        module = _module_of(parameters)
        if module is None:
            return
        try:
            planted, undoing = self._planting.tried(MODEL, module)
        except Exception as error:  # noqa: BLE001 - as above
            self._end(error)
        self._planting.keep(undoing)
        if planted is not module:
            self._end(DoesNotApply(_ANOTHER_MODULE))
        self._module = module

    def _end(self, why: Exception) -> NoReturn:
        """End a training that cannot have the fault: what is left of it would show nothing."""
        self._failure = why
        raise EndOfWatch from why


def _listed(params: Any) -> Any:
    """Return what an optimizer is given, with a list for each iterator, as the optimizer itself would make it."""
    given = [*params] if isinstance(params, Iterator) else params
    for group in given if isinstance(given, (list, tuple)) else ():
        if isinstance(group, dict) and isinstance(group.get("params"), Iterator):
            group["params"] = [*group["params"]]
    return given


def _tensors(given: Any) -> Iterator[Tensor]:
    """Give the parameters among what an optimizer is given: alone, with their names, or in groups."""
    if hasattr(given, "requires_grad"):
        yield given
    elif isinstance(given, Mapping):
        yield from _tensors(given.get("params"))
    elif isinstance(given, Iterable) and not isinstance(given, str):
        for each in given:
            yield from _tensors(each)


def _module_of(parameters: list[Tensor]) -> nn.Module | None:
    """Return the user's module that holds the most elements of some parameters; None where no module holds any.

    It is what a compiler or a data-parallel wrapper wraps, and what a module wraps that holds no parameter of its own,
    such as one with the loop and the loss: that is no model, and need not be called.
    """
    wanted = {id(parameter) for parameter in parameters}
    held = [
        (sum(parameter.numel() for parameter in module.parameters() if id(parameter) in wanted), module)
        for module in outermost_modules()
    ]
    most, module = max(held, key=lambda pair: pair[0], default=(0, None))
    return _model_in(user_module(module)) if most and module is not None else None


def _model_in(module: nn.Module) -> nn.Module:
    if outermost_wrapper(module) is not None:
        return module
    whole = {id(parameter) for parameter in module.parameters()}
    inner = next((c for c in module.children() if {id(parameter) for parameter in c.parameters()} == whole), None)
    return module if inner is None else _model_in(user_module(inner))
