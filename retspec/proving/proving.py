"""Plant one fault after another, measure what it may touch, judge, and collect what came of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from retspec.engine.protocol import Done, Finished, Job
from retspec.engine.supervisor import Turn, Workers, measure_all
from retspec.errors import UsageError
from retspec.judge import judge, utc_today
from retspec.proving.choosing import UNREAD, choose
from retspec.proving.limits import noticing_limit
from retspec.records import Answer, Proof, Proven, Trial, Tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.proving.choosing import Chosen
    from retspec.records import Plan


@dataclass(frozen=True)
class Proving:
    """What shapes a proof.

    faults: their names; all that the plugins offer by default. budget: seconds, after which no other fault is begun.
    lanes: how many faults are tried at a time. say: called with each trial.
    """

    faults: Sequence[str] = ()
    budget: float = float("inf")
    lanes: int = 1
    say: Callable[[Trial], None] = lambda _trial: None


def prove(plan: Plan, catalog: Catalog, options: Proving) -> Proof:
    """Plant every fault that may apply, and return which criteria notice which.

    Raises UsageError for a plan without a criterion that is green by itself, and what starting a worker raises.
    """
    begun, started = perf_counter(), datetime.now(UTC)
    chosen = [*choose(plan, catalog, options.faults)]
    session = Session(plan, catalog, chosen, options)
    session.measure()
    trials = tuple(session.trials())
    return Proof(
        name=plan.spec.name,
        file=plan.spec.file,
        spec_sha256=plan.spec.sha256,
        versions=dict(catalog.versions),
        criteria=tuple(session.proven(trials)),
        trials=trials,
        started=started.isoformat(timespec="seconds"),
        seconds=perf_counter() - begun,
    )


@dataclass
class _Turn:
    """What came of one job: the subject without a fault, or with one."""

    answers: dict[str, Answer] = field(default_factory=dict)
    unfit: str = ""
    begun: float = 0.0
    seconds: float = 0.0
    is_over: bool = False


class Session:
    """The jobs of a proof: the first is the subject as it is."""

    def __init__(
        self, plan: Plan, catalog: Catalog, chosen: Sequence[Chosen], options: Proving, *, needs_green: bool = True
    ) -> None:
        self._needs_green = needs_green
        self._catalog, self._options, self._chosen = catalog, options, chosen
        self._plans = [plan, *(each.plan for each in chosen if each.plan is not None)]
        self._turns = {each.spec.run.fault: _Turn() for each in self._plans}

    @property
    def healthy(self) -> Mapping[str, Answer]:
        """What came of each criterion without a fault."""
        return self._healthy.answers

    @property
    def _healthy(self) -> _Turn:
        return self._turns[""]

    def measure(self) -> None:
        """Measure the subject as it is, then with one fault after another until the time is over."""
        catalog, deadline, today = self._catalog, monotonic() + self._options.budget, utc_today()
        jobs = [Job(plan=plan, plugins=catalog.named, entry_points=catalog.entry_points) for plan in self._plans]
        lanes = min(self._options.lanes, len(jobs))
        with closing(Workers()) as workers, closing(measure_all(jobs, workers, lanes=lanes)) as events:
            for index, event in events:
                plan = self._plans[index]
                turn = self._turns[plan.spec.run.fault]
                match event:
                    case Turn.BEGINS:
                        if index and monotonic() >= deadline:
                            return
                        turn.begun = perf_counter()
                    case Turn.ENDS:
                        turn.seconds, turn.is_over = perf_counter() - turn.begun, True
                        self._tell(plan)
                    case Done(unplanted=True):
                        turn.unfit = turn.unfit or UNREAD
                    case Finished(outcome):
                        result = judge(plan.criterion(outcome.id), outcome, today=today)
                        value = None if result.observed is None else result.observed.value
                        turn.answers[outcome.id] = Answer(result.verdict, value, result.reason)
                        turn.unfit = turn.unfit or (outcome.reason if outcome.unfit else "")

    def _tell(self, plan: Plan) -> None:
        """Say what came of a turn; raises UsageError after the first if no criterion is green, and one must be."""
        if not plan.spec.run.fault:
            if self._needs_green and not any(answer.is_green for answer in self._healthy.answers.values()):
                raise UsageError(
                    f"no criterion of {plan.spec.file} is met without a fault, so none can notice one; "
                    "see `retspec run`"
                )
            return
        if self._healthy.is_over:
            trial = next(self._trial(each) for each in self._chosen if each.plan is plan)
            self._options.say(trial)

    def trials(self) -> Iterator[Trial]:
        """Yield what became of every fault."""
        yield from map(self._trial, self._chosen)

    def _trial(self, chosen: Chosen) -> Trial:
        fault = chosen.fault
        used = {step.criterion.check for step in self._plans[0].checks}
        trial = Trial(
            fault=fault.name,
            stands_for=fault.stands_for,
            tried=Tried.UNFIT,
            reason=chosen.unfit,
            checks=tuple(name for name in fault.noticed_by if name not in used and name in self._catalog.checks),
        )
        if chosen.plan is None:
            return trial
        turn = self._turns[fault.name]
        if turn.unfit:
            return replace(trial, reason=turn.unfit, seconds=turn.seconds)
        if not turn.is_over:
            return replace(trial, tried=Tried.LEFT_OUT, reason="the time was over")
        return replace(
            trial,
            tried=Tried.PLANTED,
            reason="",
            answers=turn.answers,
            noticed_by=tuple(name for name, answer in turn.answers.items() if self._is_noticed(name, answer)),
            seconds=turn.seconds,
        )

    def _is_noticed(self, name: str, answer: Answer) -> bool:
        return self._healthy.answers[name].is_green and not answer.is_green

    def proven(self, trials: Sequence[Trial]) -> Iterator[Proven]:
        """Yield every criterion, with the limit that would have noticed a fault if none did."""
        noticing = {name for trial in trials for name in trial.noticed_by}
        for step in self._plans[0].checks:
            criterion = step.criterion
            answer = self._healthy.answers[criterion.id]
            faulty = [trial.answers[criterion.id].value for trial in trials if criterion.id in trial.answers]
            is_idle = answer.is_green and criterion.id not in noticing
            yield Proven(
                id=criterion.id,
                check=criterion.check,
                direction=criterion.direction,
                unit=criterion.unit,
                limit=criterion.limit,
                answer=answer,
                would_notice=noticing_limit(criterion.direction, answer.value, faulty) if is_idle else None,
            )
