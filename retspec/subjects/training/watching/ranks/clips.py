"""Seeing the gradients before torch clips them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAMES = ("clip_grad_norm_", "clip_grad_value_")


@contextmanager
def clips_seen(see: Callable[[], None]) -> Iterator[None]:
    """Call a function before each clipping by `torch.nn.utils`.

    There is no hook for this: the functions are wrapped where they are names of torch's, and put back.
    """
    from torch.nn import utils
    from torch.nn.utils import clip_grad

    before = [(place, name, getattr(place, name)) for place in (utils, clip_grad) for name in _NAMES]
    for place, name, original in before:
        setattr(place, name, wraps(original)(partial(_seen, see, original)))
    try:
        yield
    finally:
        for place, name, original in before:
            setattr(place, name, original)


def _seen(see: Callable[[], None], original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    see()
    return original(*args, **kwargs)
