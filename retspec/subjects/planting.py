"""`Planting`: a fault in a subject, planted where the part that it changes is made, and undone at the end."""

from __future__ import annotations

import inspect
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from retspec.errors import DoesNotApply
from retspec.plugins.kinds import OF_SPEC
from retspec.subjects.seeds import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.plugins.kinds import Fault

T = TypeVar("T")


class Planting:
    """Plants one fault, or none.

    seed: of the random numbers that the fault draws.
    """

    def __init__(self, fault: Fault | None = None, seed: int = 0) -> None:
        self._fault, self._seed = fault, seed
        self._undoing = ExitStack()
        self.is_waiting = fault is not None and fault.part != OF_SPEC
        """Whether the part that the fault changes was not asked for."""

    @property
    def plants(self) -> bool:
        """Whether there is a fault."""
        return self._fault is not None

    def folder(self) -> str:
        """Return a temporary folder, which is removed when the fault is taken out."""
        return self._undoing.enter_context(TemporaryDirectory())

    def changes(self, part: str) -> Fault | None:
        """Return the fault if it changes a part."""
        return self._fault if self._fault is not None and self._fault.part == part else None

    def into(self, part: str, value: T) -> T:
        """Return a part of the subject with the fault in it, or as it is if the fault changes another part.

        Raises DoesNotApply when the part cannot have the fault.
        """
        return self._planted(part, value, self._undoing)

    def tried(self, part: str, value: T) -> tuple[T, ExitStack]:
        """Return a part with the fault in it, and what undoes that: closed, or left to `undo` by `keep`.

        Raises DoesNotApply when the part cannot have the fault.
        """
        undoing = ExitStack()
        return self._planted(part, value, undoing), undoing

    def keep(self, undoing: ExitStack) -> None:
        """Leave a fault that was tried where it is, until `undo`."""
        self._undoing.push(undoing)

    @property
    def can_be_undone(self) -> bool:
        """Whether the fault gives back what it changes; one without `yield` may put another thing in place of it."""
        return self._fault is not None and inspect.isgeneratorfunction(self._fault.function)

    @contextmanager
    def during(self, part: str, value: T) -> Iterator[T]:
        """Give a part with the fault in it, and take the fault out at the end, whatever happens until then.

        Raises DoesNotApply when the part cannot have the fault, or when its end shows that there was nothing to change.
        """
        undoing = ExitStack()
        planted = self._planted(part, value, undoing)
        try:
            yield planted
        except BaseException:
            with suppress(DoesNotApply):  # what went wrong says more
                undoing.close()
            raise
        undoing.close()

    def _planted(self, part: str, value: T, undoing: ExitStack) -> T:
        fault = self.changes(part)
        if fault is None:
            return value
        self.is_waiting = False
        planted: T | None
        with seeded(self._seed, only_loaded=True):
            if self.can_be_undone:
                planted = undoing.enter_context(contextmanager(fault.function)(value))
            else:
                planted = fault(value)
        return value if planted is None else planted

    def undo(self) -> None:
        """Give every part back as it was, the last one first."""
        self._undoing.close()
