"""The engine in the process of the front end: it asks the driver, and writes the files that nodes have sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retspec.executors import Engine, EngineError, Phase, State, packed, unpacked

from retspec_ray.link import Link
from retspec_ray.records import A_TASK, Order

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from retspec.executors import Task

    from retspec_ray.records import Needs, News


class RayEngine(Engine):
    """A Ray cluster at an address."""

    def __init__(self, address: str, needs: Needs) -> None:
        self._link = Link(address)
        self._needs = needs
        self._ended: dict[str, State] = {}
        """The cluster forgets a task whose files were fetched."""

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Hand the tasks over to a desk, which is new."""
        orders = [Order(task, packed(task.folder)) for task in tasks]
        handles: dict[str, str] = self._link.ask("submit", orders, self._needs, more=len(orders) * A_TASK)
        return handles

    def states(self, handles: Collection[str]) -> Mapping[str, State]:
        """Fetch what the nodes have sent, write it, and let the cluster forget it."""
        asked = [handle for handle in handles if handle not in self._ended]
        news: dict[str, News] = self._link.ask("news", asked) if asked else {}
        editions = {handle: _write(each) for handle, each in news.items() if each.edition}
        if editions:
            self._link.ask("taken", editions)
        states = {handle: each.state for handle, each in news.items()}
        self._ended |= {handle: state for handle, state in states.items() if state.phase is Phase.ENDED}
        return {handle: self._ended.get(handle) or states[handle] for handle in handles}

    def cancel(self, handles: Collection[str]) -> None:
        """End them; those that ended on their own are forgotten."""
        left = [handle for handle in handles if handle not in self._ended]
        if left:
            self._link.ask("cancel", left)


def _write(news: News) -> int:
    """Write the files of a task into its folder, and return their edition.

    Raises EngineError if that fails: they stay on the cluster, and are fetched again.
    """
    folder = Path(news.folder)
    try:
        if folder.is_dir():  # else a run that was removed since
            unpacked(folder, news.files)
    except OSError as error:
        raise EngineError(f"cannot write the results to {folder}: {error.strerror}") from error
    return news.edition
