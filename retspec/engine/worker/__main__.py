"""Entry point of the worker process."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from typing import IO

from retspec.engine.fast_exit import FastExit
from retspec.engine.protocol import Importing, Job, Libraries, decode_instruction
from retspec.engine.supervisor.libraries import libraries_for
from retspec.engine.supervisor.orphans import adopt_orphans
from retspec.engine.worker.channel import Channel
from retspec.engine.worker.limits import limit_memory
from retspec.engine.worker.preloading import settle
from retspec.engine.worker.printing import print_by_lines
from retspec.engine.worker.work import work
from retspec.plugins.catalog import gather
from retspec.subjects.models.base_models import BaseModels
from retspec.subjects.recorded_warnings import WarningRecorder


def main() -> None:
    """Do one job after another, until the supervisor closes the pipe that sends them."""
    ending = FastExit()
    adopt_orphans()
    print_by_lines()
    channel, bases, gathering = Channel(int(sys.argv[1])), BaseModels(), cache(gather)
    recorder = WarningRecorder()
    recorder.install()

    def announce(library: str) -> None:
        channel.send(Importing(library))

    with _detached_standard_input() as instructions:
        for line in instructions:
            match decode_instruction(line):
                case Libraries(names):
                    settle(names, announce)
                    gather(entry_points=False)  # what comes with retspec: it takes a fraction of a second to import
                case Job() as job:
                    limit_memory(job.plan.spec.run.memory)
                    if job.plan.needs_torch:
                        sources = gathering(job.plugins, entry_points=job.entry_points).model_sources
                        settle(libraries_for(job.plan.spec.model_keys, sources), announce)
                    work(job, channel, bases, gathering, recorder)
                    if job.more:
                        gc.collect()  # a model in a reference cycle would stay in memory beside the next one
    ending.status = os.EX_OK


def _detached_standard_input() -> IO[bytes]:
    """Return the standard input, and replace it with an empty one for the code under test."""
    instructions = os.dup(0)  # not inherited by what the code under test starts
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return os.fdopen(instructions, "rb")


if __name__ == "__main__":
    main()
