"""Entry point of the worker."""

from __future__ import annotations

import os
import sys

import msgspec

from retspec.measure.protocol import Job
from retspec.worker.channel import Channel
from retspec.worker.libraries import settle_libraries
from retspec.worker.limits import limit_memory
from retspec.worker.work import work


def main() -> None:
    """Take the job and do it. A supervisor that died before it gave one gets nothing done."""
    channel = Channel(int(sys.argv[1]))
    line = sys.stdin.buffer.readline()
    if not line:
        return
    job = msgspec.json.decode(line, type=Job)
    _detach_standard_input()
    limit_memory(job.plan.spec.run.memory)
    if job.plan.measurements:  # without one nothing needs a library, whose import takes seconds
        settle_libraries()
    work(job, channel)


def _detach_standard_input() -> None:
    """Give the code under test an empty standard input."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


if __name__ == "__main__":
    main()
