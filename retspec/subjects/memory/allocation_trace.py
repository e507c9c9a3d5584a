"""The trace of a training step in storages: which are born, of which size, for what, and when they die."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from retspec.subjects.memory.live_bytes import LiveBytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor


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
    """Births and deaths of storages within the first step of a training, in their order.

    Two traces of one model at different batch sizes have the same events as long as the model takes the same way, and
    each size is then affine in the batch size: two traces tell those of every other batch size.
    """

    batch_size: int
    sizes: tuple[int, ...]
    """Bytes of each storage, in the order of their births."""
    roles: tuple[Role, ...]
    events: tuple[int, ...]
    """Index of a storage that is born; its bitwise complement where it dies."""

    def peak(self, grain: int = 1) -> tuple[int, dict[str, int]]:
        """Return the most bytes that live at once in any later step, and how many each role has of them then.

        What the first step leaves behind, such as the optimizer's state, lives in the later ones from their beginning;
        gradients alone are made again.

        grain: each storage takes a multiple of so many bytes.
        """
        sizes = [-(-size // grain) * grain for size in self.sizes]
        left = self._left_behind()
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

    def at(self, batch_size: int, other: AllocationTrace) -> AllocationTrace | None:
        """Return the trace at a third batch size, as this one and another predict it; None where they cannot."""
        steps, rest = divmod(batch_size - self.batch_size, other.batch_size - self.batch_size)
        if (self.events, self.roles) != (other.events, other.roles) or rest or steps < 0:
            return None
        sizes = tuple(a + steps * (b - a) for a, b in zip(self.sizes, other.sizes, strict=True))
        return AllocationTrace(batch_size, sizes, self.roles, self.events)

    def _left_behind(self) -> set[int]:
        dead = {~event for event in self.events if event < 0}
        return {n for n, role in enumerate(self.roles) if n not in dead and role is not Role.GRADIENTS}


def _levels(live: int, sizes: list[int], events: list[int]) -> Iterator[int]:
    """Yield how many bytes live before the first event and after each."""
    yield live
    for event in events:
        live += sizes[event] if event >= 0 else -sizes[~event]
        yield live


class AllocationTracer(LiveBytes):
    """Live bytes with their history."""

    def __init__(self, parameters: Iterable[Tensor], batch: Iterable[Tensor]) -> None:
        self._sizes: list[int] = []
        self._roles: list[Role] = []
        self._events: list[int] = []
        self._alive: dict[int, int] = {}
        """Identity of a live storage to its index."""
        super().__init__(())
        for tensors, role in ((parameters, Role.PARAMETERS), (batch, Role.BATCH)):
            self.mark(tensors, role)

    def mark(self, tensors: Iterable[Tensor], role: Role) -> None:
        """Say what the storages of these tensors are for."""
        for tensor in tensors:
            self.see(tensor)
            self._roles[self._alive[id(tensor.untyped_storage())]] = role

    def mark_rest(self, role: Role) -> None:
        """Say what every live storage is for of which nothing is known yet."""
        for index in self._alive.values():
            if self._roles[index] is Role.TEMPORARY:
                self._roles[index] = role

    def trace(self, batch_size: int) -> AllocationTrace:
        """Return what happened until now."""
        return AllocationTrace(batch_size, tuple(self._sizes), tuple(self._roles), tuple(self._events))

    def _born(self, key: int, size: int) -> None:
        self._alive[key] = len(self._sizes)
        self._events.append(len(self._sizes))
        self._sizes.append(size)
        self._roles.append(Role.TEMPORARY)

    def _forget(self, key: int, size: int) -> None:
        super()._forget(key, size)
        self._events.append(~self._alive.pop(key))
