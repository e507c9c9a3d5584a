"""What `squeue` says of a job, in the words of an engine: https://slurm.schedmd.com/job_state_codes.html."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from retspec.executors import Phase, State

from retspec_slurm.script import NO_FOLDER, NO_SETUP, PATIENCE, UNSEEN
from retspec_slurm.waiting import why_it_waits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WIDTHS = {
    "ArrayJobID": 24,
    "ArrayTaskID": 24,
    "State": 24,
    "exit_code": 24,
    "TimeLimit": 24,
    "TimeUsed": 24,
    "NodeList": 255,
    "Reason": 255,
}
COLUMNS = ",".join(f"{name}:{width}" for name, width in _WIDTHS.items())
PENDING = "%F %K %r"
"""The number of an array, those of its tasks that wait, and why."""
GONE = State(
    Phase.ENDED,
    reason="Slurm does not know the job any more: it was cancelled while it waited, or it ended some time ago",
)

_RANGE = re.compile(r"(\d+)(?:-(\d+))?(?::(\d+))?")
_WAITING = {
    "PENDING": "",
    "CONFIGURING": "the node is being started",
    "POWER_UP_NODE": "the node is being started",
    "LAUNCH_FAILED": "the node could not start it, and Slurm tries again",
    "RECONFIG_FAIL": "the node could not be prepared, and Slurm tries again",
    "REQUEUED": "Slurm starts it again",
    "REQUEUE_FED": "Slurm starts it again",
    "REQUEUE_HOLD": "Slurm holds it; `scontrol release` starts it again",
    "RESV_DEL_HOLD": "Slurm holds it, since its reservation was deleted; `scontrol release` starts it",
    "SPECIAL_EXIT": "Slurm holds it; `scontrol release` starts it again",
    "STOPPED": "it was stopped, and keeps its node",
    "SUSPENDED": "it was suspended; Slurm goes on with it",
}
_ENDED = {
    "BOOT_FAIL": "its node did not start",
    "CANCELLED": "the job was cancelled, by you or by an administrator",
    "COMPLETED": "",
    "DEADLINE": "it could not end before its deadline",
    "FAILED": "",
    "NODE_FAIL": "its node failed, and Slurm does not start the job again",
    "OUT_OF_MEMORY": "it needed more CPU memory than it was given; raise resources.memory",
    "PREEMPTED": "Slurm ended it for a job of higher priority; --resume measures the rest",
    "REVOKED": "another cluster has the job",
    "TIMEOUT": "it ran past its limit of %s; raise resources.hours",
}
_EXITS = {
    UNSEEN: f"the node did not see the folder of the tasks within {PATIENCE} seconds; it must be on a disk that all "
    "nodes share",
    NO_FOLDER: "the node has no such working directory; it must be on a disk that all nodes share",
    NO_SETUP: "a line of resources.setup failed",
    126: "the node cannot start Python; the environment of retspec must be on a disk that all nodes share",
    127: "the node cannot start Python; the environment of retspec must be on a disk that all nodes share",
}


class _Job(NamedTuple):
    """A line of squeue, as text."""

    array: str
    task: str
    state: str
    exit_code: str
    limit: str
    used: str
    node: str
    reason: str

    @property
    def handle(self) -> str:
        return f"{self.array}_{self.task}"


def read_queue(printed: str) -> Mapping[str, State]:
    """Return the state of each task of an array, by its handle."""
    return {job.handle: _state(job) for job in map(_job, printed.splitlines()) if job.task.isdecimal()}


def read_pending(printed: str) -> Mapping[str, State]:
    """Return the state of each task that waits, from lines with `4-198:2,200` for the numbers of tasks."""
    cells = (line.split(maxsplit=2) for line in printed.splitlines() if line.strip())
    return {
        f"{array}_{task}": State(Phase.WAITING, reason=why_it_waits("".join(reason)))
        for array, expression, *reason in cells
        for task in _numbers(expression)
    }


def _numbers(expression: str) -> Iterator[int]:
    """Yield the numbers of `4-198:2,200`; what follows behind a `%` is how many may run at once."""
    for part in expression.partition("%")[0].split(","):
        if found := _RANGE.fullmatch(part):
            first, last, step = found.groups()
            yield from range(int(first), int(last or first) + 1, int(step or 1))


def _job(line: str) -> _Job:
    return _Job(*_cells(line))


def _cells(line: str) -> Iterator[str]:
    start = 0
    for width in _WIDTHS.values():
        yield line[start : start + width].strip()
        start += width


def _state(job: _Job) -> State:
    """Return what a line means. A state that this does not know is one of a job that is still there."""
    if job.state in _ENDED:
        return State(Phase.ENDED, job.node, _why_it_ended(job))
    if job.state == "PENDING":
        return State(Phase.WAITING, reason=why_it_waits(job.reason))
    if job.state == "COMPLETING":
        return _completing(job)
    if job.state in _WAITING:
        return State(Phase.WAITING, job.node, f"{job.state}: {_WAITING[job.state]}")
    return State(Phase.RUNNING, job.node, "" if job.state == "RUNNING" else job.state)


def _completing(job: _Job) -> State:
    """Return what comes of a job while its processes end, for KillWait or longer.

    Of one that is started again the time begins with 0:00; any other has ended, and does not come back.
    """
    if job.used == "0:00":
        return State(Phase.WAITING, job.node, "COMPLETING: Slurm ends it, to start it again")
    return State(Phase.ENDED, job.node, "COMPLETING: Slurm is ending the job")


def _why_it_ended(job: _Job) -> str:
    """Return why in plain words, with Slurm's own; nothing for a job that ended well."""
    if job.state == "FAILED":
        return f"FAILED: {_how_it_failed(job)}"
    words = _ENDED[job.state].replace("%s", _limit(job.limit))
    return f"{job.state}: {words}" if words else ""


def _how_it_failed(job: _Job) -> str:
    exit_code, number = _exit(job.exit_code)
    if number:
        return f"it was killed by signal {number}"
    if exit_code:
        return _EXITS.get(exit_code, f"the command ended with exit code {exit_code}")
    return job.reason.replace("_", " ")


def _exit(text: str) -> tuple[int, int]:
    """Return exit code and signal: of the status as wait(2) has it, or of CODE:SIGNAL."""
    exit_code, colon, number = text.partition(":")
    if not exit_code.isdecimal() or (colon and not number.isdecimal()):
        return 0, 0
    return (int(exit_code), int(number)) if colon else (int(exit_code) >> 8, int(exit_code) & 0x7F)


def _limit(text: str) -> str:
    """Return a limit of time, DAYS-HOURS:MINUTES:SECONDS with as many parts as it needs, in words."""
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdecimal() for part in (*parts, *([days] if dash else []))):
        return "time"
    seconds = sum(int(part) * 60**power for power, part in enumerate(reversed(parts)))
    minutes = (seconds + 86400 * int(days or 0)) / 60
    number, unit = (minutes / 60, "hour") if minutes >= 60 else (minutes, "minute")  # noqa: PLR2004 - of an hour
    return f"{number:.4g} {unit}{'' if number == 1 else 's'}"
