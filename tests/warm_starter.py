"""What `tests/warm.py` forks programs from: `python -m tests.warm_starter FD`, with its channel at the descriptor."""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import time
from pathlib import Path
from typing import Any

from retspec.plugins.catalog import gather

MOST = 1 << 17
"""Bytes of a message."""
PRELOADED = (
    # What workers, ranks and reruns would import first; `torch._dynamo` is what the first optimizer imports.
    *("torch", "torch._dynamo", "torch.distributed", "timm", "peft"),
    # What is ours: the command line, its command `run`, and what launches trainings.
    *("retspec.cli", "retspec.cli.run", "retspec.running", "retspec.subjects.training.sources.launched"),
)
ROOT = str(Path(__file__).parents[1])
HIGH = 500
"""From here on no program has a descriptor of its own."""


def main() -> None:
    """Fork one program after another; each comes out of the loop as a process of its own, and runs its module."""
    for name in PRELOADED:
        importlib.import_module(name)
    gather(entry_points=False)  # what comes with retspec, which each catalog holds
    gc.freeze()
    atexit.register(gc.unfreeze)  # else bindings that count their objects at the end print each as a leak
    channel = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, received, _, _ = socket.recv_fds(channel, MOST, 64)
        if not message:
            return
        if pid := _fork():
            channel.send(str(pid).encode())
            for descriptor in received:
                os.close(descriptor)
        else:
            channel.close()
            _run(json.loads(message), received)
            return


def _fork() -> int:
    """Return the number of a new process that whoever adopts orphans is now the parent of, and 0 in that process."""
    answer, answering = os.pipe()
    between = os.fork()
    if not between:
        parent = os.getpid()
        if pid := os.fork():
            os.write(answering, str(pid).encode())
            os._exit(os.EX_OK)
        while os.getppid() == parent:
            time.sleep(0.001)
    os.close(answering)
    with os.fdopen(answer, "rb") as pipe:
        if not between:
            return 0
        os.waitpid(between, 0)
        return int(pipe.read())


def _run(request: dict[str, Any], received: list[int]) -> None:
    """Run a module as `python -m` does."""
    import torch

    _place(received, request["descriptors"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    search = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [*request["first_on_path"], *search, *(entry for entry in sys.path if entry != ROOT)]
    if request["session"]:
        os.setsid()
    torch.seed()  # as drawn at the start of a process; Python draws its own after a fork
    module, *arguments = request["program"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _place(received: list[int], numbers: list[int]) -> None:
    """Give descriptors the numbers that the program expects, and open its streams."""
    high = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, HIGH) for each in received]
    for each in received:
        os.close(each)
    for descriptor, number in zip(high, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)  # it buffers and seeks as what was there when it was opened can
        buffering = 1 if name == "stderr" else -1
        stream = open(number, before.mode, buffering, before.encoding, before.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


if __name__ == "__main__":
    main()
