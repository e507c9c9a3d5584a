"""Running a spec in this process: the worker's own code, without the price of a new interpreter."""

from __future__ import annotations

import atexit
import gc
import sys
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from retspec.engine.protocol import Done, Finished, Job, Message, decode, encode
from retspec.engine.worker.preloading import settle
from retspec.engine.worker.work import work
from retspec.judge import judge
from retspec.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retspec.records import Result


class Recorder:
    """Stands at the end of the worker's channel and reads what arrives, as the supervisor does."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> None:
        self.messages.append(decode(encode(message)))


def run_here(
    spec: str | Path, overrides: Sequence[str] = (), *, select: Sequence[str] = (), skip: Sequence[str] = ()
) -> dict[str, Result]:
    """Return the results by the id of their criterion."""
    _settle()
    _reset_accelerate()
    plan, catalog = prepare(spec, overrides=overrides, select=select, skip=skip, entry_points=False)
    recorder = Recorder()
    work(msgspec.json.decode(encode(Job(plan=plan, plugins=catalog.named, entry_points=False)), type=Job), recorder)
    outcomes = [message.outcome for message in recorder.messages if isinstance(message, Finished)]
    assert isinstance(recorder.messages[-1], Done)
    assert recorder.messages[-1].faults == ()
    return {outcome.id: judge(plan.criterion(outcome.id), outcome) for outcome in outcomes}


def _settle() -> None:
    """Do as a worker does: else each of the many collections of garbage by `memory` walks all libraries.

    That of every run before, too: what a compiler imports when it is first used is as much again.
    """
    _settle_once()
    gc.collect()
    gc.freeze()


def _reset_accelerate() -> None:
    """Let a training set up accelerate for itself, as in a worker of its own: its state is one for a process."""
    if "accelerate" in sys.modules:
        from accelerate.state import AcceleratorState

        AcceleratorState._reset_state(reset_partial_state=True)


@cache
def _settle_once() -> None:
    settle(["torch", "timm", "peft"])
    atexit.register(gc.unfreeze)  # else bindings that count their objects at the end print each as a leak
