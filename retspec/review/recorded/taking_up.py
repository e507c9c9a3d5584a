"""Take up a run that was ended: its observations answer the same criteria of the same subject."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from retspec.engine.protocol import Done, Environment, Finished, Made, Noted, Pictured
from retspec.engine.supervisor import Turn
from retspec.records import Verdict
from retspec.review.recorded.judging import Answers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from retspec.engine.protocol import Job, Message
    from retspec.engine.supervisor.scheduler import Event
    from retspec.records import Outcome, Plan, Provenance, Report, Result

_UNANSWERED = frozenset({Verdict.NOT_RUN, Verdict.SKIPPED})


class TakenUp:
    """What ended runs have answered of the jobs of a run.

    ended: for each job, the report of the ended run of its spec; None without one.
    """

    def __init__(self, jobs: Sequence[Job], ended: Sequence[Report | None]) -> None:
        self._said = [_taken_up(job.plan, report) for job, report in zip(jobs, ended, strict=True)]
        self.jobs = [_rest(job, said) for job, said in zip(jobs, self._said, strict=True)]
        """What is left of the jobs."""

    def before(self, events: Generator[Event]) -> Generator[Event]:
        """Yield what was answered as each job begins, and the events of what is left of them."""
        with closing(events):
            for index, event in events:
                yield index, event
                if event is Turn.BEGINS:
                    yield from ((index, message) for message in self._said[index])


def _rest(job: Job, said: Sequence[Message]) -> Job:
    answered = {message.outcome.id for message in said if isinstance(message, Finished)}
    left = [step.criterion.id for step in job.plan.checks if step.criterion.id not in answered]
    return msgspec.structs.replace(job, plan=job.plan.restricted_to(left)) if answered else job


def _taken_up(plan: Plan, ended: Report | None) -> list[Message]:
    """Return what a worker would say that measured again what is recorded: nothing of criteria without their turn."""
    part = next((part for part in ended.parts if part.cell == plan.spec.cell), None) if ended else None
    if part is None:
        return []
    answers = Answers(plan, part)
    measured = {result.criterion.id for result in had_their_turn(part)}
    asked = [step.criterion for step in plan.checks if step.criterion.id in measured]
    outcomes = [answers.outcome(criterion) for criterion in asked if not answers.objection(criterion)]
    return [*_said(part, outcomes, len(plan.checks))] if outcomes else []


def had_their_turn(part: Report) -> Iterator[Result]:
    """Yield the results of criteria that were measured, whatever came of it."""
    return (result for result in part.results if result.verdict not in _UNANSWERED)


def _said(part: Report, outcomes: Sequence[Outcome], asked: int) -> Iterator[Message]:
    yield Environment(_facts(part.provenance))
    yield from messages_of(part, outcomes)
    yield Noted(
        (f"{len(outcomes)} of {asked} criteria were measured by the run of {part.started}, which ended early.",)
    )


def messages_of(part: Report, outcomes: Iterable[Outcome]) -> Iterator[Message]:
    """Yield what the worker said whose report this is, as far as it is recorded, and these of its outcomes."""
    yield from map(Made, part.measurements)
    yield Noted(part.notes)
    if part.pictures:
        yield Pictured(part.pictures)
    yield Done(part.faults)
    yield from map(Finished, outcomes)


def _facts(provenance: Provenance) -> dict[str, str]:
    """Return what the worker had found: if another one finds other files, that is a fault of the run."""
    return {
        "device": provenance.device,
        "threads": str(provenance.threads or 0),
        "checkpoint_sha256": provenance.checkpoint_sha256,
        "adapter_sha256": provenance.adapter_sha256,
    }
