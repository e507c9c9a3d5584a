"""The desk of a run: an actor on the cluster that has its tasks, and keeps what they write until it is fetched."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ray
from retspec.executors import Phase, State

from retspec_ray.node import measure
from retspec_ray.reasons import CANCELLED, reason_of
from retspec_ray.records import News

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from retspec.executors import Task

    from retspec_ray.records import Needs, Order

_MOST = 32 << 20
"""Bytes of files in one answer: the others follow with the next."""
_KEPT = 24 * 3600.0
"""Seconds that results wait for a front end which does not ask any more."""
_LOOK = 60.0
_FAREWELL = 1.0
"""Seconds between the last answer of a desk and its end."""


@dataclass
class _Entry:
    """A task at the desk, with the files that were not fetched yet."""

    task: Task
    result: Any
    state: State = field(default_factory=lambda: State(Phase.WAITING))
    node: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    edition: int = 0
    is_cancelled: bool = False
    is_taken: bool = False
    """Whether a front end knows how it ended, with all files."""


class Desk:
    """One for the tasks that were submitted together; its methods run in one thread, in turns.

    It ends once all tasks have ended and their files were fetched, or nobody has asked for a day.
    """

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._entries: dict[str, _Entry] = {}
        self._asked = time.monotonic()
        self._following: set[asyncio.Task[None]] = set()

    async def start(self, orders: Sequence[Order]) -> None:
        """Submit the tasks to Ray, which gives each to a node that has what it needs."""
        me = ray.get_runtime_context().current_actor
        on_a_node = ray.remote(measure).options(
            num_cpus=self._needs.cores,
            num_gpus=self._needs.gpus,
            memory=self._needs.memory or None,
            max_retries=0,  # how often something is measured is the core's to decide
        )
        for order in orders:
            result = on_a_node.remote(order, self._needs, me)
            self._entries[order.task.name] = _Entry(order.task, result)
            self._keep(self._follow(self._entries[order.task.name]))
        self._keep(self._leave_when_forgotten())

    def _keep(self, coroutine: Any) -> None:
        """Run it beside the answers; the event loop alone would not keep it alive."""
        task = asyncio.ensure_future(coroutine)
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _follow(self, entry: _Entry) -> None:
        try:
            reason = await entry.result
        except Exception as error:  # noqa: BLE001 - whatever it is, it ended the task
            reason = CANCELLED if entry.is_cancelled else await reason_of(error, entry.node)
        entry.result = None
        entry.edition += 1
        entry.state = State(Phase.ENDED, entry.state.where, reason)
        entry.is_taken = entry.is_cancelled
        self._leave_if_done()

    async def begin(self, name: str, where: str, node: str) -> None:
        """Hear from a node that it has a task."""
        entry = self._entries[name]
        entry.node, entry.state = node, State(Phase.RUNNING, where)

    async def report(self, name: str, files: Mapping[str, bytes]) -> None:
        """Hear from a node what a task has written."""
        entry = self._entries[name]
        if not entry.is_cancelled:
            entry.files |= files
            entry.edition += 1

    async def news(self, names: Collection[str]) -> tuple[dict[str, News], Needs]:
        """Return how far tasks are, with their files; a task whose files have no room here runs until they do."""
        self._asked = time.monotonic()
        left = _MOST
        found: dict[str, News] = {}
        for name in names:
            entry = self._entries.get(name)
            if entry is None:
                continue
            left -= sum(map(len, entry.files.values()))
            if left > 0 or not any(each.files for each in found.values()):
                found[name] = News(entry.state, str(entry.task.folder), dict(entry.files), entry.edition)
            else:
                found[name] = News(State(Phase.RUNNING, entry.state.where))
        return found, self._needs

    async def taken(self, editions: Mapping[str, int]) -> None:
        """Forget files that the front end has written."""
        for name, edition in editions.items():
            entry = self._entries[name]
            if entry.edition == edition:
                entry.files.clear()
                entry.is_taken = entry.state.phase is Phase.ENDED
        self._leave_if_done()

    async def cancel(self, names: Collection[str]) -> None:
        """End tasks; their nodes end what they started."""
        for name in names:
            entry = self._entries.get(name)
            if entry is None:
                continue
            entry.is_cancelled = True
            entry.files.clear()
            if entry.result is None:
                entry.is_taken = True
            else:
                ray.cancel(entry.result, force=False)  # raises KeyboardInterrupt in `measure`
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if all(entry.is_taken for entry in self._entries.values()):
            asyncio.get_running_loop().call_later(_FAREWELL, os._exit, 0)

    async def _leave_when_forgotten(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            is_over = all(entry.state.phase is Phase.ENDED for entry in self._entries.values())
            if is_over and time.monotonic() - self._asked > _KEPT:
                os._exit(0)
