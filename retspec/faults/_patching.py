"""How faults of a training of the user's own take hold: what it calls is replaced while it runs, and put back."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.subjects.patching import patched
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
def all_patched(kind: type, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Replace a method of a class, and of all derived classes that have their own, and put it back at the end."""
    with ExitStack() as stack:
        for each in {kind, *derived_from(kind)}:
            if name in vars(each):
                stack.enter_context(patched(each, name, make))
        yield


def entering(launch: Launch, enter: Callable[[], AbstractContextManager[object]]) -> Launch:
    """Return a launch that enters something when it starts: it then lies over what retspec watches with.

    So the watch sees what code of the user's with the same mistake would do. All else lies under it.
    """

    def start() -> None:
        with enter():
            launch.start()

    return replace(launch, start=start)
