"""The process that has Ray: it answers the front end's questions until that ends."""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import uuid
from collections import defaultdict
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError
from retspec.executors import Phase, State

from retspec_ray.desk import Desk
from retspec_ray.needs import lacking
from retspec_ray.reasons import first_line, last_line
from retspec_ray.records import A_TASK, NAMESPACE, Failure, News

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from retspec_ray.records import Needs, Order

_ANSWER = 30.0
"""Seconds that a desk may take to answer."""
_SUBMISSION = 50.0
_REACH = 10.0
_HEAD = "node:__internal_head__"
"""The resource that Ray gives to its head node alone."""
_GONE = State(Phase.ENDED, reason="Ray does not know it any more: the cluster, or its head node, was started again")


class Driver:
    """The methods that a front end may ask for; a handle is `desk/task`."""

    def submit(self, orders: Sequence[Order], needs: Needs) -> dict[str, str]:
        """Give the tasks to a new desk, and return the handle of each by its name."""
        name = f"desk-{uuid.uuid4().hex}"
        desk = ray.remote(Desk).options(
            name=name,
            namespace=NAMESPACE,
            lifetime="detached",  # it outlives this process
            num_cpus=0,
            max_restarts=0,
            resources={_HEAD: 0.001},  # without this node there is no cluster, and it is not scaled down
        )
        actor = desk.remote(needs)
        try:
            ray.get(actor.start.remote(orders), timeout=_SUBMISSION + len(orders) * A_TASK)
        except BaseException:
            ray.kill(actor)
            raise
        return {order.task.name: f"{name}/{order.task.name}" for order in orders}

    def news(self, handles: Collection[str]) -> dict[str, News]:
        """Return how far the tasks are, with what they have written."""
        found: dict[str, News] = {}
        for desk, names in _by_desk(handles).items():
            actor = _desk(desk)
            try:
                news, needs = _ask(actor.news.remote(names)) if actor else ({}, None)
            except ActorDiedError:
                news, needs = {}, None
            why = lacking(needs, ray.nodes()) if needs else ""
            for name in names:
                each = news.get(name, News(_GONE))
                found[f"{desk}/{name}"] = _with_reason(each, why) if why else each
        return found

    def taken(self, editions: Mapping[str, int]) -> None:
        """Let the desks forget files that are written."""
        for desk, names in _by_desk(editions).items():
            _tell(desk, "taken", {name: editions[f"{desk}/{name}"] for name in names})

    def cancel(self, handles: Collection[str]) -> None:
        """End tasks and forget them."""
        for desk, names in _by_desk(handles).items():
            _tell(desk, "cancel", names)


def _tell(desk: str, method: str, content: Any) -> None:
    """Call a method of a desk; one that has left in the meantime has no tasks and no files any more."""
    with suppress(ActorDiedError):
        if actor := _desk(desk):
            _ask(getattr(actor, method).remote(content))


def _by_desk(handles: Collection[str]) -> dict[str, list[str]]:
    names = defaultdict(list)
    for handle in handles:
        desk, _, name = handle.rpartition("/")
        names[desk].append(name)
    return names


def _desk(name: str) -> Any:
    """Return the desk of this name, or None."""
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return None


def _ask(answer: Any) -> Any:
    return ray.get(answer, timeout=_ANSWER)


def _with_reason(news: News, why: str) -> News:
    if news.state.phase is not Phase.WAITING:
        return news
    return News(State(Phase.WAITING, reason=why), news.folder, news.files, news.edition)


def _read(connection: Connection, requests: queue.Queue[Any]) -> None:
    """Pass the questions on; end this process with the front end, also in the middle of an answer."""
    while True:
        try:
            requests.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)


def _answer(driver: Driver, method: str, arguments: Sequence[Any]) -> Any:
    try:
        return getattr(driver, method)(*arguments)
    except GetTimeoutError:
        return Failure("Ray gave no answer in time")
    except (RayError, RuntimeError, ConnectionError, ValueError) as error:
        return Failure(last_line(error))


def _require_listener(address: str) -> None:
    """Raise OSError where nothing answers: Ray would try for minutes. Addresses that are words are Ray's to find."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH).close()


def main() -> None:
    """Connect, and answer."""
    connection, address = Connection(int(sys.argv[1])), sys.argv[2]
    requests: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(connection, requests), daemon=True).start()
    try:
        _require_listener(address)
        ray.init(address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # noqa: BLE001 - whatever keeps Ray from connecting
        connection.send(Failure(f"cannot connect to Ray at {address}: {first_line(error)}"))
        return
    connection.send(None)
    driver = Driver()
    while True:
        method, arguments = requests.get()
        connection.send(_answer(driver, method, arguments))


if __name__ == "__main__":
    main()
