"""What runs on a node: the command of a task, in a folder of its own, until it ends or is ended."""

from __future__ import annotations

import os
import platform
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from retspec.executors import OUTPUT, packed, unpacked

from retspec_ray.guarded import Guarded

if TYPE_CHECKING:
    from retspec_ray.records import Needs, Order

_PAUSE = 0.25
"""Seconds between two looks at the command."""
_NEWS = 2.0
"""Seconds between two looks at what it has written."""
_TAIL = 16 << 10
"""Bytes of what it printed that are sent with the last files."""


def measure(order: Order, needs: Needs, desk: Any) -> str:
    """Do a task on this node and send what it writes to the desk; return why it was ended, or an empty string."""
    name, cwd = order.task.name, Path(needs.cwd or order.task.cwd)
    _hear_cancelling()
    _heard(desk.begin.remote(name, platform.node(), ray.get_runtime_context().get_node_id()))
    if not cwd.is_dir():
        return f"{cwd} is not there; the working directory must be on each node, or name its place in `resources.cwd`"
    folder = Path(tempfile.mkdtemp(prefix="retspec-task-"))
    unpacked(folder, order.files)
    sent = dict(order.files)
    with Guarded(order.task.command(folder), cwd, folder) as command:
        end, news_at = time.monotonic() + needs.hours * 3600, 0.0
        while (reason := command.wait(_PAUSE)) is None:
            now = time.monotonic()
            if now > end:
                command.end()
                reason = f"its {needs.hours:g} hours are over"
                break
            if now - news_at > _NEWS:
                news_at = now
                _send(desk, name, folder, sent)
        _send(desk, name, folder, sent, last=True)
    return reason


def _hear_cancelling() -> None:
    """Let KeyboardInterrupt come, by which Ray cancels: Python raises none where SIGINT is ignored.

    It is in all that a script starts in its background, such as Ray, and stays so in what that starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _send(desk: Any, name: str, folder: Path, sent: dict[str, bytes], *, last: bool = False) -> None:
    """Send the files that have changed; raises if the desk is gone, which ends the task."""
    files = packed(folder)
    changed = {path: content for path, content in files.items() if sent.get(path) != content}
    sent |= changed
    if last:
        changed[OUTPUT] = _tail(folder / OUTPUT)
    if changed:
        _heard(desk.report.remote(name, changed))


def _heard(answer: Any) -> None:
    """Wait for an answer of the desk; `ray.get` would give the cores of this task to the next one meanwhile."""
    answer.future().result()


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL), os.SEEK_SET)
        return file.read()
