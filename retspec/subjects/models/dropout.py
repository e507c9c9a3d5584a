"""Switch dropout off for a while, and leave every other layer in its mode."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

_MARKS = ("drop", "stochasticdepth")
"""Parts of the names of classes, in small letters: DropPath of timm, StochasticDepth of torchvision and many more."""
_PROBABILITIES = ("p", "drop_prob", "prob")
_FUNCTIONS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
"""See https://docs.pytorch.org/docs/stable/nn.functional.html#dropout-functions"""

PLACE_OF_PROBABILITY = 4
"""See https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html"""


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Set the probability of every dropout, stochastic depth and patch dropout to zero, and restore it at the end.

    The functions of `torch.nn.functional` drop nothing meanwhile, either. Better than eval mode to measure a training
    step: normalization layers keep their mode. A model that draws its own random numbers still does.
    """
    with ExitStack() as stack:
        for module in model.modules():
            for name in _probabilities(module):
                stack.callback(setattr, module, name, getattr(module, name))
                setattr(module, name, 0.0)
        stack.enter_context(_functions_drop_nothing())
        yield


def drops(model: nn.Module) -> bool:
    """Whether a module of a model is set to drop anything; a function that its `forward` calls is not seen."""
    return any(getattr(module, name) > 0 for module in model.modules() for name in _probabilities(module))


def _probabilities(module: nn.Module) -> Iterator[str]:
    """Yield the attributes of a module that hold the probability of a dropout."""
    from torch import nn

    if isinstance(module, (nn.MultiheadAttention, nn.RNNBase)):
        names: tuple[str, ...] = ("dropout",)
    else:
        kind = type(module).__name__.lower().replace("_", "")
        names = _PROBABILITIES if any(mark in kind for mark in _MARKS) else ()
    yield from (name for name in names if isinstance(getattr(module, name, None), (int, float)))


@contextmanager
def _functions_drop_nothing() -> Iterator[None]:
    """Replace the functions in their module, which a backward pass on another thread sees too, as a mode would not."""
    from torch.nn import functional

    attend = functional.scaled_dot_product_attention
    before = {name: getattr(functional, name) for name in _FUNCTIONS}
    try:
        for name in _FUNCTIONS:
            setattr(functional, name, _unchanged)
        functional.scaled_dot_product_attention = _attending(attend)
        yield
    finally:
        for name, function in before.items():
            setattr(functional, name, function)
        functional.scaled_dot_product_attention = attend


def _unchanged(input: Tensor, *_arguments: Any, **_keywords: Any) -> Tensor:  # noqa: A002 - the name that torch gives it
    """Do as a dropout of probability zero."""
    return input


def _attending(attend: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def attend_without_dropout(*arguments: Any, **keywords: Any) -> Tensor:
        """Attend with all keys; the probability to leave one out is the fifth argument, or a keyword."""
        if len(arguments) > PLACE_OF_PROBABILITY:
            arguments = (*arguments[:PLACE_OF_PROBABILITY], 0.0, *arguments[PLACE_OF_PROBABILITY + 1 :])
        else:
            keywords["dropout_p"] = 0.0
        return attend(*arguments, **keywords)

    return attend_without_dropout
