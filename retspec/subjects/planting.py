"""`Planting`: a fault in a subject, planted where the part that it changes is made, and undone at the end."""

from __future__ import annotations

import inspect
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from retspec.plugins.kinds import OF_SPEC
from retspec.subjects.seeds import seeded

if TYPE_CHECKING:
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

    def name_in(self, part: str) -> str:
        """Return the name of the fault if it changes this part; empty if it does not."""
        return self._fault.name if self._fault is not None and self._fault.part == part else ""

    def is_elsewhere(self, part: str) -> bool:
        """Whether there is a fault that changes another part."""
        return self._fault is not None and self._fault.part != part

    def into(self, part: str, value: T) -> T:
        """Return a part of the subject with the fault in it, or as it is if the fault changes another part.

        Raises DoesNotApply when the part cannot have the fault.
        """
        if self._fault is None or not self.name_in(part):
            return value
        self.is_waiting = False
        with seeded(self._seed, only_loaded=True):
            planted: T | None = self._plant(self._fault, value)
        return value if planted is None else planted

    def _plant(self, fault: Fault, value: T) -> T | None:
        if not inspect.isgeneratorfunction(fault.function):
            planted: T | None = fault(value)
            return planted
        given_back: T | None = self._undoing.enter_context(contextmanager(fault.function)(value))
        return given_back

    def undo(self) -> None:
        """Give every part back as it was, the last one first."""
        self._undoing.close()
