"""The rounds of jobs: one job for each seed of a cell, whose messages become those of one job again.

A criterion that depends on the seed is finished once it is under every seed; its outcome holds those of all.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from retspec.engine.protocol import Done, Finished, Made, Pictured, Progress
from retspec.engine.supervisor import Turn
from retspec.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from retspec.engine.protocol import Job, Message

    Event = tuple[int, Turn | Message]
    """The index of a job, and what happened to it."""


class Rounds:
    """The jobs of a run, each once for every seed that its plan asks for."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._folds = [_Fold(job) for job in jobs]
        self._places = [(index, number) for index, fold in enumerate(self._folds) for number in range(len(fold.jobs))]
        self.jobs = [job for fold in self._folds for job in fold.jobs]
        """What is measured: those of one cell follow one another."""

    def folded(self, events: Generator[Event]) -> Generator[Event]:
        """Yield the events of the rounds as those of the jobs. Closing it closes them."""
        with closing(events):
            for place, event in events:
                index, _ = self._places[place]
                yield from ((index, each) for each in self.of(place, event))

    def of(self, place: int, event: Turn | Message) -> Iterator[Turn | Message]:
        """Yield what an event of a round is for its job. place: the index of the round."""
        index, number = self._places[place]
        return self._folds[index].heard(number, event)


class _Fold:
    """The rounds of one job."""

    def __init__(self, job: Job) -> None:
        plans = job.plan.rounds
        self.jobs = [msgspec.structs.replace(job, plan=plan) for plan in plans]
        self._seeds = [plan.spec.run.seed for plan in plans]
        self._outcomes: dict[str, dict[int, Outcome]] = {
            step.criterion.id: {} for step in job.plan.checks if step.varies and len(plans) > 1
        }
        self._measured = {step.key for step in job.plan.measurements}
        self._begun = False
        self._open = len(plans)

    def heard(self, number: int, event: Turn | Message) -> Iterator[Turn | Message]:
        """Yield what an event of a round is for the job."""
        match event:
            case Turn.BEGINS:
                if not self._begun:
                    self._begun = True
                    yield event
            case Turn.ENDS:
                self._open -= 1
                if not self._open:
                    yield event
            case Finished(outcome) if outcome.id in self._outcomes:
                yield from self._finished(self._seeds[number], outcome)
            case _:
                yield from (event,) if number == 0 else self._of_another(self._seeds[number], event)

    def _finished(self, seed: int, outcome: Outcome) -> Iterator[Message]:
        """Yield the outcome under all seeds; a later one under the same seed replaces it, as that of one job would."""
        known = self._outcomes[outcome.id]
        known[seed] = outcome
        if len(known) == len(self._seeds):
            yield Finished(_together({each: known[each] for each in self._seeds}))

    def _of_another(self, seed: int, event: Turn | Message) -> Iterator[Turn | Message]:
        """Yield what is said of a round beside the first: no facts, which are those of the first."""
        match event:
            case Made(measured):
                yield Made(replace(measured, key=f"seed {seed}: {measured.key}", facts=None))
            case Progress(key, step, total) if key in self._measured:
                yield Progress(f"seed {seed}: {key}", step, total)
            case Done(faults, modules):
                yield Done(tuple(f"seed {seed}: {fault}" for fault in faults), modules)
            case Pictured():
                return
            case _:
                yield event


def _together(outcomes: dict[int, Outcome]) -> Outcome:
    first, *_ = outcomes.values()
    return Outcome(
        id=first.id,
        seconds=sum(outcome.seconds for outcome in outcomes.values()),
        output=tuple(dict.fromkeys(output for outcome in outcomes.values() for output in outcome.output)),
        by_seed={seed: replace(outcome, output=()) for seed, outcome in outcomes.items()},
    )
