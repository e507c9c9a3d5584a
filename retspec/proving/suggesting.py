"""Which checks to add for faults that no criterion notices: each is measured, and proven before it is suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from retspec.plan import make_plan
from retspec.proving.choosing import Chosen, faults_of, under
from retspec.proving.limits import noticing_limit
from retspec.proving.proving import Proving, Session
from retspec.records import Criterion, Direction, Tried
from retspec.spec.validate.arguments import required_arguments
from retspec.spec.validate.convert import Defaults, criterion
from retspec.text.wording import listing, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Answer, Plan, Trial


@dataclass(frozen=True)
class Addition:
    """A criterion to add, and the faults that it was seen to notice."""

    criterion: Criterion
    notices: tuple[Trial, ...]


@dataclass(frozen=True)
class Suggestion:
    """What to add to a spec, and why nothing is added for some faults."""

    additions: tuple[Addition, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    """The reason, by the name of the fault."""


@dataclass(frozen=True)
class _Seen:
    """What came of criteria without a fault, and with each."""

    healthy: Mapping[str, Answer]
    trials: Mapping[str, Trial]

    def flaw(self, name: str, fault: str) -> str:
        """Return why a criterion does not notice a fault; empty if it does."""
        healthy, trial = self.healthy.get(name), self.trials[fault]
        if healthy is None or not healthy.is_green:
            return "it is not met without the fault" + (f": {healthy.reason}" if healthy and healthy.reason else "")
        if trial.tried is not Tried.PLANTED:
            return trial.reason
        answer = trial.answers.get(name)
        if answer is None or not answer.verdict.is_decided:
            return "it has no verdict with the fault" + (f": {answer.reason}" if answer and answer.reason else "")
        return "it is met with the fault, too" if answer.is_green else ""


def suggest(
    plan: Plan, catalog: Catalog, unnoticed: Sequence[Trial], *, taken: Collection[str] = (), lanes: int = 1
) -> Suggestion:
    """Return a check for each fault that no criterion notices, the best one that can be written without guessing.

    unnoticed: the faults as they were planted. taken: ids that no new criterion can have.
    lanes: how many faults are tried at a time.
    Raises what starting a worker raises.
    """
    return _Suggesting(plan, catalog, unnoticed, {*taken, *(each.id for each in plan.spec.criteria)}, lanes).made()


class _Suggesting:
    """Looks at every check that may be written, then proves those that are chosen."""

    def __init__(
        self, plan: Plan, catalog: Catalog, unnoticed: Sequence[Trial], taken: Collection[str], lanes: int
    ) -> None:
        self._plan, self._catalog, self._taken, self._lanes = plan, catalog, taken, lanes
        self._trials = {trial.fault: trial for trial in unnoticed}
        self._reasons: dict[str, list[str]] = {fault: [] for fault in self._trials}

    def made(self) -> Suggestion:
        """Return what is suggested."""
        chosen = self._chosen()
        criteria = _strictest(chosen.values())
        seen = self._measured({fault: [each.id] for fault, each in chosen.items()}, criteria)
        noticing: dict[str, list[Trial]] = {}
        for fault, each in chosen.items():
            flaw = seen.flaw(each.id, fault)
            if flaw:
                self._reasons[fault].append(f"{each.id}: {flaw}")
            else:
                noticing.setdefault(each.id, []).append(self._trials[fault])
        return Suggestion(
            additions=tuple(Addition(criteria[name], tuple(trials)) for name, trials in noticing.items()),
            left={
                fault: listing(self._reasons[fault], "; ") or "no check is known to notice it"
                for fault in self._trials
                if not any(self._trials[fault] in trials for trials in noticing.values())
            },
        )

    def _chosen(self) -> dict[str, Criterion]:
        """Return the best criterion for each fault, with the limit that notices it."""
        wanted = {fault: self._writable(trial) for fault, trial in self._trials.items()}
        criteria = {name: self._criterion(name) for names in wanted.values() for name in names}
        seen = self._measured({fault: names for fault, names in wanted.items() if names}, criteria)
        found: dict[str, Criterion] = {}
        for fault, names in wanted.items():
            for name in names:
                limited = self._limited(criteria[name], fault, seen)
                if limited is not None:
                    found[fault] = limited
                    break
        return found

    def _writable(self, trial: Trial) -> list[str]:
        """Return the checks that would notice a fault, without those of which a person must say more than a limit."""
        flaws = {name: self._unwritable(name) for name in trial.checks}
        self._reasons[trial.fault] += [f"{name}: {flaw}" for name, flaw in flaws.items() if flaw]
        return [name for name, flaw in flaws.items() if not flaw]

    def _unwritable(self, name: str) -> str:
        check = self._catalog.checks[name]
        if name in self._taken:
            return "the spec has a criterion of that name, which is not judged"
        if required := required_arguments(self._catalog, check):
            return f"it needs `with: {{{listing(required)}: ...}}`"
        if check.interval:
            return "you must say what of its interval is judged"
        if check.default_limit is None and check.direction is Direction.EQUAL:
            return "its limit is exact, and only you know what is meant"
        return ""

    def _limited(self, each: Criterion, fault: str, seen: _Seen) -> Criterion | None:
        """Return a criterion with the limit that notices a fault; None, with the reason kept, if there is none."""
        reasons = self._reasons[fault]
        if self._catalog.checks[each.check].default_limit is not None:
            if flaw := seen.flaw(each.id, fault):
                reasons.append(f"{each.id}: {flaw}")
            return None if flaw else each
        healthy, faulty = seen.healthy.get(each.id), seen.trials[fault].answers.get(each.id)
        if healthy is None or healthy.value is None:
            reasons.append(f"{each.id}: it has no value without the fault{_because(healthy)}")
            return None
        if faulty is None or faulty.value is None:
            reasons.append(f"{each.id}: it has no value with the fault{_because(faulty)}")
            return None
        limit = noticing_limit(each.direction, healthy.value, [faulty.value])
        if limit is None:
            shown = f"{readable(faulty.value)}, and {readable(healthy.value)} without it"
            reasons.append(f"{each.id}: no limit tells them apart; it is {shown}")
            return None
        return replace(each, limit=limit)

    def _criterion(self, name: str) -> Criterion:
        """Return the criterion of a check with its default limit; without one it has a limit to be measured with."""
        spec = self._plan.spec
        defaults = Defaults(train=spec.train, dtype=spec.run.dtype or "float32", cell=spec.cell)
        made = criterion(name, {}, self._catalog, defaults, spec.criteria[0].mark)
        return made if made.limit is not None else replace(made, limit=0)

    def _measured(self, wanted: Mapping[str, Sequence[str]], criteria: Mapping[str, Criterion]) -> _Seen:
        """Measure criteria without a fault, and some of them with each fault."""
        if not wanted:
            return _Seen({}, {})
        whole = make_plan(replace(self._plan.spec, criteria=tuple(criteria.values())), self._catalog)
        chosen = [
            Chosen(fault, under(whole, self._catalog, fault, wanted[fault.name]))
            for fault in faults_of(self._catalog, [*wanted])
        ]
        session = Session(whole, self._catalog, chosen, Proving(lanes=self._lanes), needs_green=False)
        session.measure()
        return _Seen(session.healthy, {trial.fault: trial for trial in session.trials()})


def _strictest(chosen: Iterable[Criterion]) -> dict[str, Criterion]:
    """Return each criterion with its strictest limit: the healthy subject meets it, and all of the faults miss it."""
    strictest: dict[str, Criterion] = {}
    for each in chosen:
        strictest[each.id] = _stricter(strictest.get(each.id, each), each)
    return strictest


def _stricter(first: Criterion, second: Criterion) -> Criterion:
    if first.limit is None or second.limit is None:
        return first
    return second if first.direction.is_stricter(second.limit, first.limit) else first


def _because(answer: Answer | None) -> str:
    return f": {answer.reason}" if answer is not None and answer.reason else ""
