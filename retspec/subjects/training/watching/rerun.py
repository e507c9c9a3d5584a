"""A training run once more, in a process of its own: `python -m retspec.subjects.training.watching.rerun FD`.

A second run in one process would find modules imported, caches filled and random numbers drawn. The process reads a
`Rerun` as JSON from standard input and writes a `Trace` as JSON to the given descriptor: what the training prints
goes elsewhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from retspec.errors import DoesNotApply, NoVerdict
from retspec.facts.reruns import Trace
from retspec.plugins.loading import import_plugin, importable_name
from retspec.subjects.callables import allow_imports_from
from retspec.subjects.models.state import fingerprint
from retspec.subjects.planting import Planting
from retspec.subjects.training.watching.config_reads import ConfigFollower
from retspec.subjects.training.watching.planting import FaultInTraining
from retspec.subjects.training.watching.watch import Watch

if TYPE_CHECKING:
    from retspec.plugin import Source
    from retspec.plugins.kinds import Fault

LAUNCHED = "retspec.subjects.training.sources.launched"
"""The module of the kinds that are built in."""
_COMPLETE = ("it ended by itself", "it ended by itself, with exit code 0")
"""Endings, as `Watch` says them, of a training that has read all that it reads."""


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """A launch as plain data."""

    source: str
    """The key under `train`."""
    value: Any
    folder: str
    steps: int
    threads: int
    arguments: dict[str, Any] = field(default_factory=dict)
    module: str = LAUNCHED
    """Where the function lies that launches it: a module, or the file of a plugin."""
    function: str = ""
    """Its name; that of the key by default."""
    fault: str = ""
    """What is planted into it, as `place_of_fault` says it; empty for nothing."""
    seed: int = 0
    """Of the random numbers that the fault draws."""
    config: str = ""
    """A training config whose reads are followed; empty where none is."""

    @property
    def code(self) -> Path:
        """Where the training's own code lies."""
        return Path(self.folder, self.value).parent if self.source == "script" else Path(self.folder)


def trace_of(rerun: Rerun) -> Trace:
    """Run a training in a fresh process and return what it did; raises NoVerdict when the process dies."""
    with tempfile.TemporaryFile() as answer:  # not a pipe, which would fill up before anyone reads it
        done = subprocess.run(  # noqa: S603 - our own module, by this interpreter
            [sys.executable, "-m", __name__, str(answer.fileno())],
            input=msgspec.json.encode(rerun),
            pass_fds=[answer.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        answer.seek(0)
        answered = answer.read()
    if not answered:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoVerdict(f"a second process that ran the training ended with exit code {done.returncode}: {last}")
    return msgspec.json.decode(answered, type=Trace)


def main() -> None:
    """Run what standard input says."""
    import torch

    rerun = msgspec.json.decode(sys.stdin.buffer.read(), type=Rerun)
    torch.set_num_threads(rerun.threads)
    folder = Path(rerun.folder)
    allow_imports_from(folder, Path.cwd())
    follower = ConfigFollower(Path(rerun.config)) if rerun.config else None
    with nullcontext() if follower is None else follower.following(), suppress(DoesNotApply):  # the first run says so
        made = source_of(rerun)(rerun.value, folder, **rerun.arguments)
        with FaultInTraining(planting_of(rerun)).during(made) as launch:
            watch = Watch(launch, rerun.steps)
            watch.run()
    trace = traced(watch)
    if follower is not None:
        trace = replace(trace, config=follower.facts(rerun.code, is_complete=watch.ending in _COMPLETE))
    with os.fdopen(int(sys.argv[1]), "wb") as answer:
        answer.write(msgspec.json.encode(trace))
    sys.stdout.flush()
    os._exit(os.EX_OK)  # threads that the training left must not keep the process


def traced(watch: Watch) -> Trace:
    """Return what a run did, before its module is put back."""
    main = watch.main
    module = None if watch.trainee is None else watch.trainee.module
    return Trace(
        command=watch.launch.command,
        ending=watch.ending,
        losses=() if watch.training is None else watch.training.losses,
        rates=() if main is None else tuple(main.rates),
        batches=tuple(each.seal.hex() for each in watch.forwards.entered),
        parameters={} if module is None else {n: int(fingerprint(p)) for n, p in module.named_parameters()},
        state={} if main is None else _state(main.optimizer),
        scale=watch.scale,
    )


def _state(optimizer: Any) -> dict[str, int]:
    """Return a fingerprint of each kind of entry that an optimizer keeps, over all its parameters."""
    import torch

    prints: dict[str, int] = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            for name, value in optimizer.state.get(parameter, {}).items():
                if isinstance(value, torch.Tensor):
                    prints[name] = hash((prints.get(name, 0), int(fingerprint(value))))
    return prints


def source_of(rerun: Rerun) -> Source:
    """Return what starts a training that is described as plain data."""
    source: Source = getattr(import_plugin(rerun.module), rerun.function or rerun.source)
    return source


def place_of_fault(fault: Fault) -> str:
    """Return where another process finds a fault: `module:name`, with the file of a plugin for its module."""
    return f"{importable_name(sys.modules[fault.function.__module__])}:{fault.name}"


def planting_of(rerun: Rerun) -> Planting:
    """Return what plants the fault of a run, if it has one."""
    module, _, name = rerun.fault.rpartition(":")
    return Planting(getattr(import_plugin(module), name), rerun.seed) if module else Planting()


if __name__ == "__main__":
    main()
