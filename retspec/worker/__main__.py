"""Entry point of the worker."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

import msgspec

from retspec.measure.protocol import Job
from retspec.worker.channel import Channel
from retspec.worker.work import work

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Take the job and do it."""
    channel = Channel(int(sys.argv[1]))
    supervisor = os.fdopen(os.dup(0), "rb")
    job = msgspec.json.decode(supervisor.readline(), type=Job)
    _die_with(supervisor)
    _detach_standard_input()
    work(job, channel)


def _die_with(supervisor: object) -> None:
    """End when the supervisor does, however it ends: Linux sends a signal, elsewhere its end of the pipe closes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_exit_at_end_of, args=(supervisor,), daemon=True).start()


def _exit_at_end_of(stream: object) -> None:
    stream.read()  # type: ignore[attr-defined]
    os._exit(1)


def _detach_standard_input() -> None:
    """Give the code under test an empty standard input."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


if __name__ == "__main__":
    main()
