"""Starting the ranks of a training, and waiting for all of them: the end of one is the end of all."""

from __future__ import annotations

import selectors
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from retspec.errors import DoesNotApply, NoVerdict
from retspec.facts.distributed import DistributedRun, GradientsOfRanks
from retspec.subjects.training.watching.ranks.messages import Compared, Ended, Unfit
from retspec.subjects.training.watching.ranks.rank_process import RankProcess
from retspec.subjects.training.watching.world import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.facts.distributed import RankTrace
    from retspec.subjects.training.watching.rerun import Rerun

BEFORE_A_STEP = 300.0
"""Seconds without a word from any rank before the first step: libraries are imported, data is looked for."""
PATIENCE = 60.0
"""The same afterwards, or this many times the longest step."""
LONGEST_STEPS = 20
COMPUTES = 1.0
"""Seconds of computing that count as a word: on a busy machine a rank gets little time. One that waits needs next to
none."""
LOOK = 0.2
"""Seconds between two looks at whether the ranks still live."""


def run_on_ranks(launched: Rerun, ranks: int, *, patience: float | None = None) -> DistributedRun:
    """Run a training on several ranks of this machine, on the CPU, and return what each of them did.

    patience: seconds without a word after a first step, after which the ranks are taken to wait for each other.

    Raises NoVerdict when one dies, or none goes on, with the rank and its last line, and DoesNotApply when no rank can
    have the fault that is planted.
    """
    launched = replace(launched, threads=max(1, launched.threads // ranks))
    with ExitStack() as stack:
        processes = RankProcess.start_all(launched, ranks, free_port(), stack)
        run = _Run(processes, patience)
        traces = run.traces()
        return DistributedRun(traces, run.gradients())


class _Run:
    """Ranks on their way."""

    def __init__(self, processes: Sequence[RankProcess], patience: float | None) -> None:
        self._processes = processes
        self._given = patience
        self._heard = time.monotonic()
        self._computed = 0.0
        self._traces: dict[int, RankTrace] = {}
        self._unfit: list[str] = []
        self._gradients: GradientsOfRanks | None = None
        self._selector = selectors.DefaultSelector()
        for each in processes:
            self._selector.register(each.answers, selectors.EVENT_READ, each)

    def traces(self) -> tuple[RankTrace, ...]:
        """Wait until all ranks have come to their end."""
        while len(self._traces) < len(self._processes):
            self._listen()
            self._require_progress()
        if all(self._unfit):
            raise DoesNotApply(self._unfit[0])
        return tuple(self._traces[rank] for rank in sorted(self._traces))

    def gradients(self) -> GradientsOfRanks:
        """Let rank 0 compare the gradients of all."""
        if not all(trace.steps for trace in self._traces.values()):
            return GradientsOfRanks((), 0, (), 0, unknown="not every rank took a step")
        self._processes[0].compare()
        while self._gradients is None and self._processes[0].is_alive:
            self._listen()
            if self._silence > self._patience:
                unknown = "the module waits for other ranks when rank 0 computes its loss again"
                return GradientsOfRanks((), 0, (), 0, unknown=unknown)
        if self._gradients is None:
            unknown = f"rank 0 died when it computed the gradients of all: {self._processes[0].last_line}"
            return GradientsOfRanks((), 0, (), 0, unknown=unknown)
        return self._gradients

    def _listen(self) -> None:
        for key, _ in self._selector.select(LOOK):
            process: RankProcess = key.data
            for message in process.read():
                self._heard = time.monotonic()
                match message:
                    case Unfit(why):
                        raise DoesNotApply(why)
                    case Ended(trace, unfit):
                        process.has_ended = True
                        self._unfit.append(unfit)
                        self._traces[process.rank] = changed(trace, arrived=len(self._traces))
                    case Compared(gradients):
                        self._gradients = gradients
            if process.is_at_end:
                self._selector.unregister(process.answers)

    def _require_progress(self) -> None:
        """Raise NoVerdict when a rank has died without a word, or none has said one for long."""
        dead = [each for each in self._processes if each.rank not in self._traces and not each.is_alive]
        if dead:
            self._listen()  # what it said before it died
        for each in dead:
            if each.rank not in self._traces:
                raise NoVerdict(f"rank {each.rank} of {len(self._processes)} {each.death}")
        silent = self._silence
        if silent > self._patience:
            waiting = [each for each in self._processes if each.rank not in self._traces]
            where = "; ".join(
                f"rank {e.rank} after {e.steps} steps ({e.last_line or 'it printed nothing'})" for e in waiting
            )
            raise NoVerdict(
                f"the ranks wait for each other: nothing went on for {silent:.0f} s, and these have not come to their "
                f"end: {where}"
            )

    @property
    def _silence(self) -> float:
        """Seconds for which no rank has said a word or computed."""
        computed = sum(each.cpu_seconds for each in self._processes)
        if computed - self._computed > COMPUTES:
            self._heard, self._computed = time.monotonic(), computed
        return time.monotonic() - self._heard

    @property
    def _patience(self) -> float:
        if not any(each.steps for each in self._processes):
            return BEFORE_A_STEP
        longest = max(each.longest_step for each in self._processes)
        return self._given or max(PATIENCE, LONGEST_STEPS * longest)
