"""Forward hooks on modules of the user's, which neither a copy nor a checkpoint of these keeps."""

from __future__ import annotations

import copyreg
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn
    from torch.utils.hooks import RemovableHandle

_PLACES = ("_forward_pre_hooks", "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called")
"""Where a module keeps what was registered, by the number of its handle."""


class ForwardHooks:
    """A hook before and one after each forward pass: of all modules at first, then of a few.

    A training may copy a module (for an average) or save it as a whole (in Lightning's hyperparameters) while it is
    hooked. `copy` and `pickle` ask copyreg for its class, so that what they get is without these hooks:
    https://docs.python.org/3/library/copyreg.html
    """

    def __init__(self, before: Callable[..., None], after: Callable[..., None]) -> None:
        self._before = before
        self._after = after
        self._handles: list[RemovableHandle] = []
        self._kinds: list[type[nn.Module]] = []

    def on_all(self) -> None:
        """Hook all modules."""
        self._handles = [
            register_module_forward_pre_hook(self._before),
            register_module_forward_hook(self._after, with_kwargs=True, always_call=True),
        ]

    def only_on(self, modules: Iterable[nn.Module]) -> None:
        """Hook these modules alone."""
        self.remove()
        for module in modules:
            self._handles += [
                module.register_forward_pre_hook(self._before),
                module.register_forward_hook(self._after, with_kwargs=True, always_call=True),
            ]
            if type(module) not in copyreg.dispatch_table:
                self._kinds.append(type(module))
                copyreg.pickle(type(module), self._reduced)

    def remove(self) -> None:
        """Take all hooks off."""
        while self._handles:
            self._handles.pop().remove()
        while self._kinds:
            del copyreg.dispatch_table[self._kinds.pop()]

    def _reduced(self, module: nn.Module) -> Any:
        """Return what `module.__reduce_ex__` returns, without these hooks."""
        reduced = module.__reduce_ex__(4)
        if isinstance(reduced, str) or len(reduced) < 3 or not isinstance(reduced[2], dict):  # noqa: PLR2004 - the third is the state
            return reduced
        make, arguments, state, *rest = reduced
        own = {handle.id for handle in self._handles}
        places = {place: state[place] for place in _PLACES if place in state}
        others = {p: OrderedDict((key, hooks[key]) for key in hooks if key not in own) for p, hooks in places.items()}
        return make, arguments, {**state, **others}, *rest
