"""Computing beside a training, unseen by function modes: the watch's own, and the user's."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Result = TypeVar("Result")


def unseen(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Return a function that no mode sees; else each gradient that it looks at is a call of the mode.

    See https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-native-api
    """

    @wraps(function)
    def quiet(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with torch._C.DisableTorchFunction():  # noqa: SLF001 - documented at the place above
            return function(*args, **kwargs)

    return quiet
