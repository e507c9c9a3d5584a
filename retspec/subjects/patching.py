"""Replacing functions that others call, for a while."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def patched(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Replace a function of a class or a module by another one that is made of it, and put it back at the end."""
    original = vars(owner)[name]
    setattr(owner, name, wraps(original)(make(original)))
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def everywhere_patched(
    function: Callable[..., Any], make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Replace a function in every module that has it under its own name, also in one that is imported meanwhile."""
    name, replacement = function.__name__, wraps(function)(make(function))
    _exchange(name, function, replacement)
    try:
        yield
    finally:
        _exchange(name, replacement, function)


def _exchange(name: str, old: Callable[..., Any], new: Callable[..., Any]) -> None:
    for module in [*sys.modules.values()]:
        if getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)
