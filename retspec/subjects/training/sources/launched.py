"""The kinds of training that run the user's own, and are watched: keys under `train:`."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from retspec.plugin import training_source
from retspec.subjects.callables import load_callable
from retspec.subjects.training.watching.launching import Launch, launch_callable, launch_module, launch_script

Arguments = Annotated[list[str], Meta(description="Arguments of the command line.")]
OneBatch = Annotated[
    bool,
    Meta(description="Let every DataLoader give its first batch again and again."),
]
CpuOk = Annotated[
    bool,
    Meta(description="Make `torch.cuda.synchronize` do nothing where there is no GPU."),
]

Ranks = Annotated[
    int,
    Meta(ge=2, description="Processes of the run on several ranks, on the CPU with gloo, that some checks ask about."),
]


@training_source(launches=True)
def script(
    value: str,
    folder: Path,
    *,
    args: Arguments | None = None,
    one_batch: OneBatch = False,
    cpu_ok: CpuOk = False,
    ranks: Ranks | None = None,
) -> Launch:
    """A training script, relative to the spec; run as it is, watched, and ended after `steps` optimizer steps."""
    return launch_script(Path(normpath(folder / value)), args or [], one_batch=one_batch, cpu_ok=cpu_ok, ranks=ranks)


@training_source(launches=True)
def module(
    value: str,
    folder: Path,
    *,
    args: Arguments | None = None,
    one_batch: OneBatch = False,
    cpu_ok: CpuOk = False,
    ranks: Ranks | None = None,
) -> Launch:
    """A training module, run as `python -m` runs it, watched, and ended after `steps` optimizer steps."""
    return launch_module(value, folder, args or [], one_batch=one_batch, cpu_ok=cpu_ok, ranks=ranks)


@training_source(launches=True)
def callable(  # noqa: A001 - the key of the spec
    value: str,
    folder: Path,
    *,
    args: Arguments | None = None,
    one_batch: OneBatch = False,
    cpu_ok: CpuOk = False,
    ranks: Ranks | None = None,
) -> Launch:
    """A function as package.module:function that trains when it is called; watched as a script is."""
    function = load_callable(value, path="train.callable")
    return launch_callable(value, function, folder, args or [], one_batch=one_batch, cpu_ok=cpu_ok, ranks=ranks)


@training_source(launches=True)
def trainer(
    value: str,
    folder: Path,
    *,
    args: Arguments | None = None,
    one_batch: OneBatch = False,
    cpu_ok: CpuOk = False,
    ranks: Ranks | None = None,
) -> Launch:
    """A function as package.module:function that returns what trains: a library's Trainer, or the parts of a loop."""
    make = load_callable(value, path="train.trainer")

    def train() -> None:
        from retspec.subjects.training.watching.trainers import start_training

        start_training(make())

    return launch_callable(value, train, folder, args or [], one_batch=one_batch, cpu_ok=cpu_ok, ranks=ranks)
