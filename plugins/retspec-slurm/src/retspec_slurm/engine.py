"""The engine: tasks become the tasks of job arrays, and their handles are `ARRAY_INDEX`, as Slurm writes them."""

from __future__ import annotations

import os
import re
import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from retspec.executors import Engine, EngineError, State

from retspec_slurm.commands import ask
from retspec_slurm.queue import COLUMNS, GONE, PENDING, read_pending, read_queue
from retspec_slurm.script import listed, script

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from retspec.executors import Task

_FIXED = (
    "--parsable",
    "--nodes=1",
    "--ntasks=1",
    # All of this shell, as it is sbatch's default, whatever SBATCH_EXPORT says: the environment that was tried here.
    "--export=ALL",
    # Attempts at a task do not disturb each other, so that Slurm may start it again after a node failed.
    "--requeue",
    "--chdir=/",
    # The script itself sends what is printed to the folder of the task. Where Slurm cannot write, it ends the job.
    "--output=/dev/null",
)
_LIMITS = (re.compile(r"^MaxArraySize\s*=\s*(\d+)", re.MULTILINE), re.compile(r"max_array_tasks=(\d+)"))


class Slurm(Engine):
    """A cluster, as the commands of Slurm on this machine see it.

    options: what is asked for each task, as options of sbatch. setup: lines of Bash that run before it.
    """

    def __init__(self, options: Sequence[str], setup: Sequence[str] = ()) -> None:
        self._options, self._setup = tuple(options), tuple(setup)

    def submit(self, tasks: Sequence[Task]) -> dict[str, str]:
        """Submit the tasks as arrays, each as large as the cluster allows.

        Raises EngineError with what Slurm says, and OSError; what it had taken until then is cancelled.
        """
        most, name = _largest_array(), f"retspec-{secrets.token_hex(4)}"
        at = tasks[0].folder.parent / f"{name}.sh"
        at.write_text(listed(tasks), encoding="utf-8", errors="surrogateescape")
        handles: dict[str, str] = {}
        try:
            for first in range(0, len(tasks), most):
                some = tasks[first : first + most]
                array = self._submit_array(name, at, first, len(some))
                handles |= {task.name: f"{array}_{index}" for index, task in enumerate(some)}
        except BaseException:
            _withdraw(name)
            raise
        return handles

    def _submit_array(self, name: str, at: Path, first: int, number: int) -> str:
        options = (*_FIXED, f"--job-name={name}", f"--array=0-{number - 1}", *self._options)
        try:
            answer = ask("sbatch", *options, given=script(at, first, self._setup))
        except EngineError as error:
            raise EngineError(f"{error} (asked for {' '.join(self._options)})") from None
        # NUMBER, or NUMBER;CLUSTER. What a site prints comes before it.
        array = answer.strip().rpartition("\n")[2].partition(";")[0]
        if not array.isdecimal():
            raise EngineError(f"slurm: sbatch printed no number of a job, but {answer.strip()[:200]!r}")
        return array

    def states(self, handles: Collection[str]) -> dict[str, State]:
        """Ask for all jobs of this user at once, those that ended in the last minutes (MinJobAge) included.

        `squeue --jobs` would fail for a job that Slurm has forgotten, and with several asks for those of all users.
        """
        known = read_queue(_squeue("--array", "--states=all", f"--Format={COLUMNS}"))
        if not known.keys() >= {*handles}:
            # squeue 22.05 with --array leaves out the last task of a range with steps, as in 12_[4-198:2].
            known = {**read_pending(_squeue("--states=pending", f"--format={PENDING}")), **known}
        return {handle: known.get(handle, GONE) for handle in handles}

    def cancel(self, handles: Collection[str]) -> None:
        """Cancel all at once. Slurm sends SIGTERM, which the command hears, and SIGKILL after its KillWait."""
        if handles:
            ask("scancel", "--quiet", *_arrays(handles))


def _squeue(*options: str) -> str:
    return ask("squeue", "--noheader", f"--user={os.getuid()}", *options)


def _largest_array() -> int:
    """Return how many tasks an array may have: https://slurm.schedmd.com/job_array.html."""
    configured = ask("scontrol", "show", "config")
    limits = [int(found[1]) for limit in _LIMITS if (found := limit.search(configured))]
    return max(1, min(limits, default=1))


def _withdraw(name: str) -> None:
    """Cancel what a submission has left behind: by its name, since the number of a job may not have arrived."""
    try:
        ask("scancel", f"--name={name}", f"--user={os.getuid()}")
    except EngineError as error:
        raise EngineError(f"{error}; a part of the tasks may be left behind: scancel --name={name}") from error


def _arrays(handles: Iterable[str]) -> list[str]:
    """Return the tasks of each array as scancel takes them: `12_[0-3,7]`."""
    indices: defaultdict[str, list[int]] = defaultdict(list)
    for handle in handles:
        array, _, index = handle.partition("_")
        if array.isdecimal() and index.isdecimal():
            indices[array].append(int(index))
    return [f"{array}_[{_ranges(sorted(set(some)))}]" for array, some in indices.items()]


def _ranges(numbers: Sequence[int]) -> str:
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, ends)) for ends in found)
