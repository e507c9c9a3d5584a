"""Judge: observation + limit + direction → verdict. Only this module compares a value with a limit.

Nothing is met by default. An observation that is not a genuine value of the limit's kind (a NaN, or a `True`
instead of a number) has no verdict, whatever the comparison returns.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from statistics import stdev
from typing import TYPE_CHECKING, Any, cast

from retspec.characters import one_line
from retspec.records import (
    Aggregate,
    Criterion,
    Direction,
    Observed,
    Outcome,
    Result,
    SeedResult,
    Seeds,
    Severity,
    Value,
    Verdict,
)
from retspec.text.seeds import decided_by, judged_values
from retspec.text.wording import exact, is_number, observation, sentence, waived, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOLDS: dict[Direction, Callable[[Any, Any], bool]] = {
    Direction.AT_MOST: operator.le,
    Direction.AT_LEAST: operator.ge,
    Direction.EQUAL: operator.eq,
}
_NUMBER = "a finite number"


def judge(criterion: Criterion, outcome: Outcome, *, today: date | None = None) -> Result:
    """Return the verdict on the outcome of a criterion, with a sentence that explains it.

    today: the day (UTC) on which a waiver is judged; the current day by default.
    """
    today = today or utc_today()
    if outcome.by_seed:
        return _under_seeds(criterion, outcome, today)
    verdict, reason = _decide(criterion, outcome, today)
    return Result(
        criterion=criterion,
        verdict=verdict,
        observed=outcome.observed,
        reason=reason,
        trace=outcome.trace,
        seconds=outcome.seconds,
        output=outcome.output,
    )


def _under_seeds(criterion: Criterion, outcome: Outcome, today: date) -> Result:
    """Return the verdict under the seed that decides; one without a verdict comes before all others."""
    found = {seed: judge(criterion, each, today=today) for seed, each in outcome.by_seed.items()}
    seeds = _summed_up(criterion, found)
    decisive = found[seeds.judged]
    decided_how = decided_by(seeds) if decisive.verdict.is_decided else f"under seed {seeds.judged}"
    reason = f"{decisive.reason}; {decided_how}"
    return replace(decisive, reason=reason, seconds=outcome.seconds, output=outcome.output, seeds=seeds)


def _summed_up(criterion: Criterion, found: Mapping[int, Result]) -> Seeds:
    """Return the results under all seeds, and which of them decides."""
    each = tuple(_of_seed(seed, result) for seed, result in found.items())
    aggregate = criterion.aggregate or Aggregate.WORST
    verdicts = Counter(one.verdict for one in each)
    flips = len(each) - max(verdicts.values())
    seeds = Seeds(
        each=each,
        aggregate=aggregate,
        judged=_decisive(criterion, found, aggregate),
        flips=flips,
        flip_rate=flips / len(each),
    )
    values = [] if criterion.direction is Direction.EQUAL else judged_values(criterion, seeds)
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return seeds
    least, greatest = min(values), max(values)
    return replace(seeds, least=least, greatest=greatest, spread=greatest - least, deviation=stdev(values))


def _of_seed(seed: int, result: Result) -> SeedResult:
    reason = "" if result.verdict.is_decided else result.reason
    return SeedResult(seed=seed, verdict=result.verdict, observed=result.observed, reason=reason, trace=result.trace)


def _decisive(criterion: Criterion, found: Mapping[int, Result], aggregate: Aggregate) -> int:
    """Return the seed whose verdict is that of the criterion: the first without a verdict, if there is one.

    The median of an even number is the worse one of the two in the middle: a value that was measured.
    """
    undecided = [seed for seed, result in found.items() if not result.verdict.is_decided]
    if undecided:
        return undecided[0]
    if criterion.direction is Direction.EQUAL:
        return next((seed for seed, result in found.items() if result.verdict is not Verdict.MET), next(iter(found)))
    values = {seed: criterion.judged(result.observed) for seed, result in found.items() if result.observed is not None}
    worst_first = sorted(
        values, key=lambda seed: cast("float", values[seed]), reverse=criterion.direction is Direction.AT_MOST
    )
    return worst_first[(len(worst_first) - 1) // 2] if aggregate is Aggregate.MEDIAN else worst_first[0]


def utc_today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


def skipped(criterion: Criterion) -> Result:
    """Return the result of a criterion that the spec skips, with the spec's reason."""
    return Result(criterion=criterion, verdict=Verdict.SKIPPED, reason=criterion.skip or "no reason was given")


def not_run(criterion: Criterion, reason: str) -> Result:
    """Return the result of a criterion that was not reached."""
    return Result(criterion=criterion, verdict=Verdict.NOT_RUN, reason=reason)


def _decide(criterion: Criterion, outcome: Outcome, today: date) -> tuple[Verdict, str]:
    if outcome.failure is not None:
        return _failed(outcome.failure, outcome.reason)
    if outcome.observed is None:
        return Verdict.ERROR, "the check returned nothing: a check must return a value"
    observed = outcome.observed
    objection = (
        _objection_to_bounds(criterion)
        or _objection_to_value(criterion, observed.value)
        or _objection_to_interval(criterion, observed)
    )
    return (Verdict.ERROR, objection) if objection else _hold(criterion, observed, today)


def _failed(failure: Verdict, reason: str) -> tuple[Verdict, str]:
    if failure.is_decided:  # a worker that lies must not turn a run green
        return Verdict.ERROR, f"the worker gave {failure.value!r} as the reason why there is no observation"
    return failure, reason or "no reason was given"


def _hold(criterion: Criterion, observed: Observed[Value], today: date) -> tuple[Verdict, str]:
    holds, value = _HOLDS[criterion.direction], criterion.judged(observed)
    met = holds(value, criterion.limit)
    text = sentence(criterion, observed, met=met)
    if not met and observed.noise:
        return Verdict.INCONCLUSIVE, f"{text}; but {one_line(observed.noise)}"
    if not met and holds(observed.value, criterion.limit):
        return Verdict.INCONCLUSIVE, f"{text}; {_too_wide(criterion, observed)}"
    if not met:
        return _miss(criterion, text, today)
    if observed.unseen:
        return Verdict.INCONCLUSIVE, f"{observation(criterion, observed)}, but {one_line(observed.unseen)}"
    if criterion.waive is not None and not criterion.cell:  # another cell may need it
        text = f"{text}; its waiver is no longer needed"
    if criterion.warn is not None and not holds(value, criterion.warn):
        return Verdict.WARNED, f"{text}; {wanted(criterion, value, criterion.warn)}"
    return Verdict.MET, text


def _miss(criterion: Criterion, text: str, today: date) -> tuple[Verdict, str]:
    waiver = criterion.waive
    if waiver is not None and today <= waiver.until:
        return Verdict.WAIVED, f"{text}; {waived(waiver)}"
    if waiver is not None:
        text = f"{text}; its waiver by {one_line(waiver.owner)} ended on {waiver.until}"
    if criterion.severity is Severity.WARN:
        return Verdict.WARNED, f"{text}; its severity is warn"
    return Verdict.MISSED, text


def _objection_to_bounds(criterion: Criterion) -> str:
    """Return why nothing can be compared with the limits, or an empty string."""
    kind = _kind(criterion.limit)
    if kind is None or (criterion.direction is not Direction.EQUAL and kind != _NUMBER):
        return f"the limit is {exact(criterion.limit)}: {criterion.direction.value!r} needs {_needed(criterion)}"
    if criterion.warn is not None and _kind(criterion.warn) != kind:
        return f"the bound that warns is {exact(criterion.warn)}: like the limit it must be {kind}"
    return ""


def _objection_to_value(criterion: Criterion, value: object) -> str:
    """Return why a value cannot be compared with the limit, or an empty string."""
    kind = _kind(criterion.limit)
    if _kind(value) == kind:
        return ""
    asked = "a check must return" if kind == _NUMBER else f"the limit {exact(criterion.limit)} asks for"
    return f"the check returned {exact(value)}: {asked} {kind}"


def _objection_to_interval(criterion: Criterion, observed: Observed[Value]) -> str:
    """Return why the interval of an observation, or its lack, keeps it from being judged; or an empty string."""
    interval = observed.interval
    if (interval is None) != (criterion.judge is None):
        if interval is None:
            return f"the check returned no interval, and `judge: {criterion.judge}` asks for one"
        return "the check returned an interval, and does not declare it: `@check(interval=True)`"
    if interval is None or (_kind(interval.lower) == _kind(interval.upper) == _NUMBER):
        return ""
    return f"the check returned the interval {exact(interval.lower)} to {exact(interval.upper)}: its ends are numbers"


def _too_wide(criterion: Criterion, observed: Observed[Value]) -> str:
    """Return how many patients would decide it, if the estimate stays what it is: the width falls with their root."""
    interval, limit, value = observed.interval, criterion.limit, observed.value
    assert interval is not None  # noqa: S101 - without one, the value itself is judged
    assert is_number(limit)  # noqa: S101 - it was compared with a number
    assert is_number(value)  # noqa: S101 - the same
    known = interval.images if interval.patients is None else interval.patients
    unit = "images" if interval.patients is None else "patients"
    whose = f"{unit} {interval.about}" if interval.about else unit
    bound = interval.upper if criterion.direction is Direction.AT_MOST else interval.lower
    points = [float(value if interval.estimate is None else interval.estimate), float(bound), float(limit)]
    if interval.scale == "logit" and all(0 < point < 1 for point in points):
        points = [math.log(point / (1 - point)) for point in points]
    estimate, end, wanted_end = points
    if math.isclose(estimate, wanted_end, abs_tol=1e-12):
        return f"the estimate is the limit, so that no number of {whose} would decide it"
    factor = max(((estimate - end) / (estimate - wanted_end)) ** 2, 1.0)
    return f"{known:,} {whose} do not decide it; about {math.ceil(known * factor):,} would, if the estimate stays"


def _needed(criterion: Criterion) -> str:
    anything = f"{_NUMBER}, true or false, a text or a tuple of integers"
    return anything if criterion.direction is Direction.EQUAL else _NUMBER


def _kind(value: object) -> str | None:
    """Return the kind of a genuine value, in words; None for anything else."""
    match value:
        case bool():
            return "true or false"
        case int():
            return _NUMBER
        case float() if math.isfinite(value):
            return _NUMBER
        case str():
            return "a text"
        case tuple() if all(isinstance(entry, int) and not isinstance(entry, bool) for entry in value):
            return "a tuple of integers"
    return None
