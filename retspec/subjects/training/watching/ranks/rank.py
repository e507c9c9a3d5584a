"""One rank: `python -m retspec.subjects.training.watching.ranks.rank`, with a `Job` on its standard input.

It runs the training, says what it did, and waits until all others have come to their end, too: what is sent to a
process that is gone is lost. Rank 0 then compares the gradients of all.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import msgspec

from retspec.errors import DoesNotApply
from retspec.facts.distributed import RankTrace
from retspec.subjects.callables import allow_imports_from
from retspec.subjects.training.watching.planting import FaultInTraining
from retspec.subjects.training.watching.ranks.messages import (
    COMPARE,
    Compared,
    Ended,
    Job,
    Message,
    Step,
    Unfit,
    encode,
)
from retspec.subjects.training.watching.ranks.rank_watch import RankWatch
from retspec.subjects.training.watching.ranks.sharding import is_sharded
from retspec.subjects.training.watching.rerun import Rerun, planting_of, source_of, traced
from retspec.subjects.training.watching.world import hang_up, leave_group


def main() -> None:
    """Run what standard input says."""
    import torch

    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    rerun = msgspec.convert(job.launch, Rerun)
    torch.set_num_threads(rerun.threads)
    folder = Path(rerun.folder)
    allow_imports_from(folder, Path.cwd())
    made = source_of(rerun)(rerun.value, folder, **rerun.arguments)
    watch = loop = None
    unfit = ""
    try:
        with FaultInTraining(planting_of(rerun)).during(made) as launch:
            watch = RankWatch(launch, rerun.steps, lambda taken, _total: _say(job, Step(taken)))
            loop = watch.run()
    except DoesNotApply as error:
        unfit = str(error)
    if watch is None or loop is None:
        _say(job, Unfit(unfit))
        _end()
        return
    trace = _trace(job.rank, watch)
    _write(job.records[job.rank], watch.first.record(watch))
    _say(job, Ended(trace, unfit))
    leave_group()
    if watch.ending:  # not before it is said: the others fail now, and who said so first has failed first
        hang_up()
    with os.fdopen(job.orders, "rb") as orders:
        if orders.readline() == COMPARE:
            from retspec.subjects.training.watching.ranks.reference import compare

            _say(job, Compared(compare(watch, loop, [_read(each) for each in job.records])))
            orders.read()
    _end()


def _trace(rank: int, watch: RankWatch) -> RankTrace:
    return RankTrace(
        rank=rank,
        trace=traced(watch),
        backend=watch.world.backend,
        world=watch.world.size,
        samples=tuple(tuple(watch.samples[step]) for step in range(len(watch.applied))),
        passes=watch.draws.passes,
        sharded=is_sharded(watch.forwards.roots.values()),
    )


def _say(job: Job, message: Message) -> None:
    os.write(job.answers, encode(message) + b"\n")


def _write(descriptor: int, record: dict[str, Any]) -> None:
    import torch

    with os.fdopen(os.dup(descriptor), "wb") as file:
        torch.save(record, file)


def _read(descriptor: int) -> dict[str, Any]:
    """Return what a rank has written; its descriptor shares the place in the file with this one."""
    import torch

    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        record: dict[str, Any] = torch.load(file, weights_only=True)
        return record


def _end() -> None:
    """End this process and the workers of its DataLoaders; threads that the training left must not keep it."""
    for worker in active_children():
        worker.kill()
    sys.stdout.flush()
    os._exit(os.EX_OK)


if __name__ == "__main__":
    main()
