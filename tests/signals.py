"""Starting programs as from a terminal."""

from __future__ import annotations

import signal


def hear_signals() -> None:
    """Undo, in a process that starts, what `nohup` and a shell's `&` do to the tests: an ignored signal stays so."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
