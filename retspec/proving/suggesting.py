"""Which checks to add for faults that no criterion notices: each is measured, and proven before it is suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retspec.plan import make_plan
from retspec.proving.choosing import Chosen, choose, faults_of, under
from retspec.proving.limits import noticing_limit
from retspec.proving.proving import Proving, Session
from retspec.records import Answer, Criterion, Direction, Tried
from retspec.spec.validate.arguments import required_arguments
from retspec.spec.validate.convert import Defaults, criterion
from retspec.text.wording import exact, listing, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan, Trial


@dataclass(frozen=True)
class Addition:
    """A criterion to add, and the faults that it was seen to notice."""

    criterion: Criterion
    notices: tuple[Trial, ...]


@dataclass(frozen=True)
class Suggestion:
    """What to add to a spec, and why nothing is added for some faults."""

    additions: tuple[Addition, ...]
    left: Mapping[str, str]
    """The reason, by the name of the fault."""


class _Flawed(Exception):  # noqa: N818 - never leaves this module
    """A criterion does not notice a fault; the message says why."""


@dataclass(frozen=True)
class _Seen:
    """What came of criteria without a fault, and with each."""

    healthy: Mapping[str, Answer]
    trials: Mapping[str, Trial]

    def answers(self, name: str, fault: str) -> tuple[Answer, Answer]:
        """Return what a criterion says without a fault and with it; raises _Flawed where one of them has no value."""
        healthy, trial = self.healthy.get(name), self.trials[fault]
        if healthy is None or healthy.value is None:
            raise _Flawed(f"it has no value without the fault{_because(healthy)}")
        if trial.tried is not Tried.PLANTED:
            raise _Flawed(f"the fault was not planted: {trial.reason}")
        faulty = trial.answers.get(name)
        if faulty is None or faulty.value is None:
            raise _Flawed(f"it has no value with the fault{_because(faulty)}")
        return healthy, faulty

    def require_noticed(self, name: str, fault: str) -> None:
        """Raise _Flawed unless a criterion is met without a fault and missed with it."""
        healthy, faulty = self.answers(name, fault)
        if not healthy.is_green:
            raise _Flawed(f"it is not met without the fault{_because(healthy)}")
        if faulty.is_green:
            raise _Flawed("it is met with the fault, too")
        if not faulty.verdict.is_decided:
            raise _Flawed(f"it has no verdict with the fault{_because(faulty)}")


def suggest(
    plan: Plan, catalog: Catalog, unnoticed: Sequence[Trial], *, taken: Collection[str] = (), lanes: int = 1
) -> Suggestion:
    """Return a check for each fault that no criterion notices, the best one that can be written without guessing.

    unnoticed: the faults as they were planted. taken: ids that no new criterion can have.
    lanes: how many faults are tried at a time.
    Raises what starting a worker raises.
    """
    used = {each.check for each in plan.spec.criteria}
    return _Search(plan, catalog, unnoticed, {*taken, *used}, lanes).made()


class _Search:
    """Measures the checks that may be written, then proves those that are chosen."""

    def __init__(
        self, plan: Plan, catalog: Catalog, unnoticed: Sequence[Trial], taken: Collection[str], lanes: int
    ) -> None:
        self._plan, self._catalog, self._taken, self._lanes = plan, catalog, taken, lanes
        self._trials = {trial.fault: trial for trial in unnoticed}
        self._flaws: dict[str, list[str]] = {fault: [] for fault in self._trials}

    def made(self) -> Suggestion:
        """Return what is suggested."""
        best = self._best()
        criteria = _strictest(best.values())
        noticed = self._noticed(best, criteria)
        notices = {name: tuple(self._trials[fault] for fault in noticed if noticed[fault] == name) for name in criteria}
        return Suggestion(
            additions=tuple(Addition(criteria[name], trials) for name, trials in notices.items() if trials),
            left={
                fault: listing(flaws, "; ") or "no other check is known to notice it"
                for fault, flaws in self._flaws.items()
                if fault not in noticed
            },
        )

    def _noticed(self, best: Mapping[str, Criterion], criteria: Mapping[str, Criterion]) -> dict[str, str]:
        """Plant every fault again, as a proof of the new criteria would, and return which one notices it."""
        if not criteria:
            return {}
        whole = self._planned(criteria)
        seen = self._measured(whole, choose(whole, self._catalog, [*self._trials]))
        noticed: dict[str, str] = {}
        for fault in self._trials:
            own = best[fault].id if fault in best else ""
            for name in dict.fromkeys([own, *criteria] if own else criteria):
                try:
                    seen.require_noticed(name, fault)
                except _Flawed as flaw:
                    if name == own:
                        self._flaws[fault].append(f"{name}: planted again, {flaw}")
                else:
                    noticed[fault] = name
                    break
        return noticed

    def _best(self) -> dict[str, Criterion]:
        """Return the best criterion for each fault, with the limit that notices it; the next best only if need be."""
        best: dict[str, Criterion] = {}
        left = {fault: [*self._writable(trial)] for fault, trial in self._trials.items()}
        while wanted := {fault: names.pop(0) for fault, names in left.items() if names and fault not in best}:
            criteria = {name: self._criterion(name) for name in wanted.values()}
            whole = self._planned(criteria)
            faults = faults_of(self._catalog, [*wanted])
            each = (Chosen(fault, under(whole, self._catalog, fault, [wanted[fault.name]])) for fault in faults)
            seen = self._measured(whole, each)
            for fault, name in wanted.items():
                try:
                    best[fault] = self._limited(criteria[name], fault, seen)
                except _Flawed as flaw:
                    self._flaws[fault].append(f"{name}: {flaw}")
        return best

    def _writable(self, trial: Trial) -> Iterable[str]:
        """Yield the checks that would notice a fault, without those of which a person must say more than a limit."""
        for name in trial.checks:
            if flaw := self._unwritable(name):
                self._flaws[trial.fault].append(f"{name}: {flaw}")
            else:
                yield name

    def _unwritable(self, name: str) -> str:
        check = self._catalog.checks[name]
        if name in self._taken:
            return "the spec names it, and does not judge it"
        if required := required_arguments(self._catalog, check):
            return f"it needs `with: {{{listing(required)}: ...}}`"
        if check.interval:
            return "you must say what of its interval is judged"
        return ""

    def _criterion(self, name: str) -> Criterion:
        """Return the criterion of a check with its default limit; without one it has a limit to be measured with."""
        spec = self._plan.spec
        defaults = Defaults(train=spec.train, dtype=spec.run.dtype or "float32")
        made = criterion(name, {}, self._catalog, defaults, spec.marks["checks"])
        return replace(made, limit=0) if made.limit is None else made

    def _limited(self, each: Criterion, fault: str, seen: _Seen) -> Criterion:
        """Return a criterion with the limit that notices a fault; raises _Flawed if there is none."""
        if self._catalog.checks[each.check].default_limit is not None:
            seen.require_noticed(each.id, fault)
            return each
        healthy, faulty = seen.answers(each.id, fault)
        if each.direction is Direction.EQUAL and healthy.value != faulty.value:
            raise _Flawed(f"its limit is exact; write {exact(healthy.value)} if that is what you mean")
        limit = noticing_limit(each.direction, healthy.value, [faulty.value])
        if limit is None:
            without, with_it = (readable(answer.value) for answer in (healthy, faulty) if answer.value is not None)
            raise _Flawed(f"no limit tells {with_it} from the {without} without the fault")
        return replace(each, limit=limit)

    def _planned(self, criteria: Mapping[str, Criterion]) -> Plan:
        return make_plan(replace(self._plan.spec, criteria=tuple(criteria.values())), self._catalog)

    def _measured(self, plan: Plan, chosen: Iterable[Chosen]) -> _Seen:
        """Measure a plan without a fault, and with each that is chosen."""
        session = Session(plan, self._catalog, [*chosen], Proving(lanes=self._lanes), needs_green=False)
        session.measure()
        return _Seen(session.healthy, {trial.fault: trial for trial in session.trials()})


def _strictest(chosen: Iterable[Criterion]) -> dict[str, Criterion]:
    """Return each criterion with its strictest limit: what misses a looser one misses it, too."""
    strictest: dict[str, Criterion] = {}
    for each in chosen:
        found = strictest.setdefault(each.id, each)
        if found.limit is not None and each.limit is not None and each.direction.is_stricter(each.limit, found.limit):
            strictest[each.id] = each
    return strictest


def _because(answer: Answer | None) -> str:
    return f": {answer.reason}" if answer is not None and answer.reason else ""
