"""The executor: what a spec asks of Slurm under `run.resources`, as options of sbatch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from retspec.executors import EngineError, executor

from retspec_slurm.engine import Slurm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.executors import Engine

Gpus = Annotated[int, Meta(ge=0, description="GPUs of each task.")]
Cores = Annotated[int, Meta(ge=1, description="CPU cores of each task.")]
Memory = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,8}(\.[0-9]{1,9})?(MB|GB|TB|MiB|GiB|TiB)$",
        description="CPU memory of each task; without it, what the partition gives.",
        examples=["16GiB"],
    ),
]
Hours = Annotated[
    float, Meta(gt=0, le=8760, description="The limit of time of each task; without it, that of the partition.")
]
Name = Annotated[str, Meta(pattern=r"^[^\s]*$")]
Options = Annotated[
    list[str], Meta(description="More options of sbatch, each as `--name=value`.", examples=[["--exclude=n7"]])
]
Setup = Annotated[
    list[str],
    Meta(description="Lines of Bash that a node runs before the task.", examples=[["module load cuda/12.4"]]),
]

_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_OURS = {
    "array": "retspec numbers the tasks itself",
    "batch": "each task has one node",
    "chdir": "a task runs in the folder in which retspec was started",
    "clusters": "set SLURM_CLUSTERS, which all commands of Slurm read",
    "error": "what a task prints is in its folder",
    "help": "it submits nothing",
    "input": "a task reads no input",
    "job-name": "by the name retspec finds its jobs again",
    "output": "what a task prints is in its folder",
    "parsable": "retspec gives it itself",
    "test-only": "it submits nothing",
    "usage": "it submits nothing",
    "version": "it submits nothing",
    "wait": "retspec waits itself",
    "wrap": "retspec brings the script",
}
"""Options that a spec cannot give, and why."""


@executor
def slurm(  # noqa: PLR0913 - each is a key of `resources`
    *,
    gpus: Gpus = 0,
    cores: Cores = 1,
    memory: Memory | None = None,
    hours: Hours | None = None,
    partition: Name = "",
    account: Name = "",
    qos: Name = "",
    constraint: Name = "",
    options: Options = [],  # noqa: B006 - it is part of the schema, and only read
    setup: Setup = [],  # noqa: B006 - the same
) -> Engine:
    """Measure on the nodes of a Slurm cluster, which share a disk with this machine.

    Its own commands are called, and not submitit (https://github.com/facebookincubator/submitit): that learns how a job
    ended from `sacct` alone. On a test cluster without accounting, submitit 1.5.4 had not noticed after minutes that a
    job was killed, and went on asking.
    """
    resources = {"partition": partition, "account": account, "qos": qos, "constraint": constraint}
    given = [
        *(f"--{name}={value}" for name, value in resources.items() if value),
        f"--cpus-per-task={cores}",
        # Both ways of selecting resources know it: https://slurm.schedmd.com/gres.html. `--gpus` needs the newer one.
        *([f"--gres=gpu:{gpus}"] if gpus else []),
        *([f"--mem={_mebibytes(memory)}M"] if memory else []),
        *([f"--time={math.ceil(hours * 60)}"] if hours else []),
        *_checked(options),
    ]
    return Slurm(given, setup)


def _mebibytes(memory: str) -> int:
    number = memory.rstrip("MGTiB")
    return math.ceil(float(number) * _BYTES[memory[len(number) :]] / 2**20)


def _checked(options: Sequence[str]) -> Iterator[str]:
    """Yield the options of a spec; raises EngineError for one that would change what is submitted, or how."""
    for option in options:
        name = option.removeprefix("--").partition("=")[0]
        if not option.startswith("--") or not name or any(character.isspace() for character in name):
            raise EngineError(f"resources.options: write `{option}` as --name=value, each option as an item of its own")
        # sbatch takes an abbreviation, too.
        if ours := next((full for full in _OURS if full.startswith(name)), None):
            raise EngineError(f"resources.options: `{option}` cannot be given ({ours}: {_OURS[ours]})")
        yield option
