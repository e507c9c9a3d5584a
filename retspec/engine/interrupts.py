"""End a run cleanly when a signal asks for it.

The handler only records the signal; the run checks for it where no operation is half done. An exception raised in the
handler could interrupt any line: in the standard library, between taking a lock and the code that releases it, it would
hang the run.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_arrived: list[int] = []
"""The number of the signal that arrived. It is global because signals belong to the process."""


class Interrupted(BaseException):
    """A signal asks the run to end; not an Exception, so that no `except Exception` swallows it."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"interrupted by {signal.Signals(number).name}")


def raise_if_interrupted() -> None:
    """Raise Interrupted if a signal has arrived under `interruptible`."""
    if _arrived:
        raise Interrupted(_arrived[0])


@contextmanager
def importing() -> Iterator[None]:
    """Let Ctrl-C end the program in silence while modules load.

    An exception out of a handler would strike anywhere: msgspec, which reads the types of records then, does not
    survive one.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Record the first SIGINT, SIGTERM or SIGHUP; the second one ends the process at once.

    SIGINT is handled even if a shell started the program with it ignored, as shells do in the background. An ignored
    SIGHUP stays ignored, because that is what `nohup` is for. Outside the main thread, where Python allows no handlers,
    nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in signals}

    def note(number: int, _frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        _arrived.append(number)

    for number in signals:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _arrived.clear()
