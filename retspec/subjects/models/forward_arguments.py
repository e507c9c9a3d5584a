"""Arguments of `forward` that no batch gives, and that are the same in each call."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean
from retspec.subjects.models.peft_types import outermost_wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

PLACE = "model.forward"
_ABOUT_SIGNATURE = re.compile(r"forward\(\) (missing|takes|got an unexpected)")


class FixedArguments:
    """A forward pre-hook that adds arguments to each call of a model, by name.

    See https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.arguments = dict(arguments)

    def __call__(self, _model: nn.Module, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return the arguments of `forward`; raises SubjectError for one that the caller gives, too."""
        for name in self.arguments:
            if name in kwargs:
                raise SubjectError(f"the model gets {name!r} from the batch or your step, too", path=f"{PLACE}.{name}")
        return args, kwargs | self.arguments


def fix_arguments(model: nn.Module, arguments: Mapping[str, Any]) -> None:
    """Let a model get these arguments of `forward` in each call from now on; former ones are replaced.

    Raises SubjectError for a name that its `forward` does not have, and for its first, which gets the inputs.
    """
    _require_names(model, arguments)
    present = fixed_in(model)
    if present is not None:
        present.arguments = dict(arguments)
    elif arguments:
        model.register_forward_pre_hook(FixedArguments(arguments), with_kwargs=True)


def fixed_in(model: nn.Module) -> FixedArguments | None:
    """Return what `fix_arguments` gave a model, or None."""
    hooks = model._forward_pre_hooks.values()  # noqa: SLF001 - torch offers no way to look at them
    return next((hook for hook in hooks if isinstance(hook, FixedArguments)), None)


def about_signature(error: BaseException) -> str:
    """Return what to do about an error that says that `forward` was called with too few or other arguments; else ""."""
    if not isinstance(error, TypeError) or not _ABOUT_SIGNATURE.search(str(error)):
        return ""
    return (
        "; `forward` must take the inputs of a batch as its one argument; give others that are the same in each call "
        "under `model.forward`"
    )


def _require_names(model: nn.Module, arguments: Mapping[str, Any]) -> None:
    wrapper = outermost_wrapper(model)
    own: nn.Module = model if wrapper is None else wrapper.get_base_model()
    parameters = [*inspect.signature(own.forward).parameters.values()]
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters)
    by_name = [each.name for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    first, *others = by_name or [""]
    for name in arguments:
        if name == first and name == parameters[0].name:
            raise SubjectError(
                f"{name!r} is the first argument of `forward` of {type(own).__name__}, which gets the inputs of a "
                "batch; `data.keys` says which",
                path=f"{PLACE}.{name}",
            )
        if name not in others and not takes_any:
            near = did_you_mean(name, others) or f"; it has {', '.join(others) or 'no other than the inputs'}"
            raise SubjectError(
                f"`forward` of {type(own).__name__} has no argument {name!r}{near}", path=f"{PLACE}.{name}"
            )
