"""How faults of a training of the user's own take hold: what it calls is replaced while it runs, and put back."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.subjects.training.watching.living import derived_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from retspec.subjects.training.watching.launching import Launch


@dataclass
class Chance:
    """Whether a training gave a fault anything to change.

    why_not: what is said of one that did not.
    """

    why_not: str
    taken: bool = False

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Raise DoesNotApply at the end if there was none."""
        yield
        if not self.taken:
            raise DoesNotApply(self.why_not)


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
def all_patched(kind: type, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Do the same to a method of a class, and of all classes derived from it that have their own."""
    with ExitStack() as stack:
        for each in {kind, *derived_from(kind)}:
            if name in vars(each):
                stack.enter_context(patched(each, name, make))
        yield


@contextmanager
def everywhere_patched(
    function: Callable[..., Any], make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Replace a function in every module that has it under its own name."""
    name = function.__name__
    with ExitStack() as stack:
        for module in [*sys.modules.values()]:
            if getattr(module, "__dict__", {}).get(name) is function:
                stack.enter_context(patched(module, name, make))
        yield


def entering(launch: Launch, enter: Callable[[], AbstractContextManager[object]]) -> Launch:
    """Return a launch that enters something when it starts: it then lies over what retspec watches with.

    So the watch sees what code of the user's with the same mistake would do. All else lies under it.
    """

    def start() -> None:
        with enter():
            launch.start()

    return replace(launch, start=start)
