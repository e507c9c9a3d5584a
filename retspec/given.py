"""The objects that a run in this process is given, by the names that its spec has for them: `retspec.given:model`."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_given: dict[str, Callable[..., object]] = {}
_lock = Lock()


def reference(name: str) -> str:
    """Return what a spec writes for an object of this name."""
    return f"{__name__}:{name}"


@contextmanager
def offered(objects: Mapping[str, Callable[..., object]]) -> Iterator[bool]:
    """Let specs refer to these callables; yield False, and offer nothing, while another run does so.

    Random numbers and settings belong to the process, so that there is one such run at a time.
    """
    is_free = _lock.acquire(blocking=False)
    try:
        if is_free:
            _given.update(objects)
        yield is_free
    finally:
        if is_free:
            _given.clear()
            _lock.release()


def __getattr__(name: str) -> Callable[..., object]:
    if name in _given:
        return _given[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
