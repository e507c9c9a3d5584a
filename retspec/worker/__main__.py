"""Entry point of the worker."""

from __future__ import annotations

import os
import sys
from typing import IO

import msgspec

from retspec.measure.protocol import Job
from retspec.subjects.bases import Bases
from retspec.worker.channel import Channel
from retspec.worker.libraries import settle_libraries
from retspec.worker.limits import limit_memory
from retspec.worker.work import work


def main() -> None:
    """Do one job after another, until the supervisor closes the pipe that they come through."""
    channel, bases = Channel(int(sys.argv[1])), Bases()
    with _detached_standard_input() as jobs:
        for line in jobs:
            job = msgspec.json.decode(line, type=Job)
            limit_memory(job.plan.spec.run.memory)
            if job.plan.needs_torch:
                settle_libraries()
            work(job, channel, bases)


def _detached_standard_input() -> IO[bytes]:
    """Return what was the standard input, and give the code under test an empty one."""
    jobs = os.dup(0)  # not inherited by what the code under test starts
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return os.fdopen(jobs, "rb")


if __name__ == "__main__":
    main()
