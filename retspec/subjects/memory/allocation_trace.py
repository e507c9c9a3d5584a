"""Trace the storages of a training step: their sizes and roles, and when they are allocated and freed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from retspec.subjects.memory.live_bytes import LiveBytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor


MOST_READINGS = 64
"""Readings that the course of a step is reduced to."""


class Role(StrEnum):
    """What a storage is for."""

    PARAMETERS = "parameters and buffers"
    GRADIENTS = "gradients"
    OPTIMIZER = "optimizer state"
    ACTIVATIONS = "activations"
    BATCH = "batch"
    TEMPORARY = "temporary"


@dataclass(frozen=True)
class AllocationTrace:
    """Storages that the first step of a training allocates and frees, in order.

    Two traces of one model at different batch sizes have the same events if the model runs the same operations. Each
    size is then affine in the batch size, so that two traces predict those of every other batch size.
    """

    batch_size: int
    sizes: tuple[int, ...]
    """Bytes of each storage, in the order of allocation."""
    roles: tuple[Role, ...]
    events: tuple[int, ...]
    """Index of a storage that is allocated; its bitwise complement where it is freed."""

    def peak(self, grain: int = 1) -> tuple[int, dict[str, int]]:
        """Return the peak in bytes of any later step, and the bytes of each role at that peak.

        Storages that the first step keeps, such as the optimizer state, are alive from the start of later steps; only
        gradients are allocated again.

        grain: the size of each storage is rounded up to a multiple of so many bytes.
        """
        sizes, left = self._rounded(grain), self._left_behind()
        parts = dict.fromkeys(Role, 0)
        for index in left:
            parts[self.roles[index]] += sizes[index]
        events = [event for event in self.events if event not in left]
        levels = list(_levels(sum(parts.values()), sizes, events))
        last = max(range(len(levels)), key=levels.__getitem__)
        for event in events[:last]:
            index = max(event, ~event)
            parts[self.roles[index]] += sizes[index] if event >= 0 else -sizes[index]
        return levels[last], {role.value: size for role, size in parts.items()}

    def course(self, grain: int = 1) -> tuple[int, ...]:
        """Return the bytes in use over any later step: the most in each of at most 64 equal parts of its events."""
        sizes, left = self._rounded(grain), self._left_behind()
        events = [event for event in self.events if event not in left]
        levels = list(_levels(sum(sizes[index] for index in left), sizes, events))
        every = -(-len(levels) // MOST_READINGS)
        return tuple(max(levels[start : start + every]) for start in range(0, len(levels), every))

    def at(self, batch_size: int, other: AllocationTrace) -> AllocationTrace | None:
        """Return the trace at a third batch size, predicted from this and another one; None if not possible."""
        steps, rest = divmod(batch_size - self.batch_size, other.batch_size - self.batch_size)
        if (self.events, self.roles) != (other.events, other.roles) or rest or steps < 0:
            return None
        sizes = tuple(a + steps * (b - a) for a, b in zip(self.sizes, other.sizes, strict=True))
        return AllocationTrace(batch_size, sizes, self.roles, self.events)

    def _rounded(self, grain: int) -> list[int]:
        return [-(-size // grain) * grain for size in self.sizes]

    def _left_behind(self) -> set[int]:
        dead = {~event for event in self.events if event < 0}
        return {n for n, role in enumerate(self.roles) if n not in dead and role is not Role.GRADIENTS}


def _levels(live: int, sizes: list[int], events: list[int]) -> Iterator[int]:
    """Yield the live bytes before the first event and after each event."""
    yield live
    for event in events:
        live += sizes[event] if event >= 0 else -sizes[~event]
        yield live


class AllocationTracer(LiveBytes):
    """Counts live bytes, and records the history of each storage."""

    def __init__(self, parameters: Iterable[Tensor], batch: Iterable[Tensor]) -> None:
        self._sizes: list[int] = []
        self._roles: list[Role] = []
        self._events: list[int] = []
        self._alive: dict[int, int] = {}
        """`id` of a live storage to its index."""
        super().__init__(())
        for tensors, role in ((parameters, Role.PARAMETERS), (batch, Role.BATCH)):
            self.mark(tensors, role)

    def mark(self, tensors: Iterable[Tensor], role: Role) -> None:
        """Set the role of the storages of these tensors."""
        for tensor in tensors:
            self.see(tensor)
            self._roles[self._alive[id(tensor.untyped_storage())]] = role

    def mark_rest(self, role: Role) -> None:
        """Set the role of every live storage that has none yet."""
        for index in self._alive.values():
            if self._roles[index] is Role.TEMPORARY:
                self._roles[index] = role

    def trace(self, batch_size: int) -> AllocationTrace:
        """Return the trace up to now."""
        return AllocationTrace(batch_size, tuple(self._sizes), tuple(self._roles), tuple(self._events))

    def _born(self, key: int, size: int) -> None:
        self._alive[key] = len(self._sizes)
        self._events.append(len(self._sizes))
        self._sizes.append(size)
        self._roles.append(Role.TEMPORARY)

    def _forget(self, key: int, size: int) -> None:
        super()._forget(key, size)
        self._events.append(~self._alive.pop(key))
