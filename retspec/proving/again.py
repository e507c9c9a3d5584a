"""The same subject again and again, each time in a fresh worker: how often the gate flips by itself."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median, stdev
from typing import TYPE_CHECKING

from retspec.engine.protocol import Environment, Finished, Job
from retspec.engine.supervisor import Workers, measure
from retspec.judge import judge, utc_today
from retspec.records import Answer, Flips, Spread
from retspec.text.seeds import finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan

_GREEN, _RED, _OPEN = "met", "missed", "no verdict"


def flips(plan: Plan, catalog: Catalog, runs: int, say: Callable[[int], None] = lambda _number: None) -> Flips:
    """Measure a plan a number of times, each in a process of its own, and return what differs.

    say: called with the number of each run that is over.
    Raises what starting a worker raises.
    """
    found: list[_Run] = []
    for number in range(1, runs + 1):
        found.append(_once(plan, catalog))
        say(number)
    seen = [run.answers for run in found]
    gates = [_gate(answers) for answers in seen]
    differing = {name: _differing([answers[name].verdict.value for answers in seen]) for name in seen[0]}
    return Flips(
        runs=runs,
        flipped=_differing(gates),
        criteria={name: count for name, count in differing.items() if count},
        observed={name: spread for name in seen[0] if (spread := _spread([each[name] for each in seen])) is not None},
        device=" and ".join(dict.fromkeys(run.device for run in found)),
    )


@dataclass
class _Run:
    device: str
    answers: dict[str, Answer] = field(default_factory=dict)


def _once(plan: Plan, catalog: Catalog) -> _Run:
    job = Job(plan=plan, plugins=catalog.named, entry_points=catalog.entry_points)
    today, run = utc_today(), _Run(plan.spec.run.device)
    with closing(Workers()) as workers, closing(measure(job, workers)) as messages:
        for message in messages:
            if isinstance(message, Environment):
                run.device = message.facts["device"]
            elif isinstance(message, Finished):
                outcome = message.outcome
                result = judge(plan.criterion(outcome.id), outcome, today=today)
                run.answers[outcome.id] = Answer(result.verdict, result.observed.value if result.observed else None)
    return run


def _gate(answers: dict[str, Answer]) -> str:
    """Return what the whole gate says: the exit code of a run, in words."""
    verdicts = [answer.verdict for answer in answers.values()]
    if any(verdict.is_decided and not verdict.is_accepted for verdict in verdicts):
        return _RED
    return _GREEN if all(verdict.is_accepted for verdict in verdicts) else _OPEN


def _differing(seen: Sequence[str]) -> int:
    """Return how many are not what most are."""
    return len(seen) - Counter(seen).most_common(1)[0][1]


def _spread(answers: Sequence[Answer]) -> Spread | None:
    """Return how far the numbers go apart that were observed; None for fewer than two."""
    numbers = finite(answer.value for answer in answers)
    if len(numbers) < 2:  # noqa: PLR2004 - one value has no spread
        return None
    return Spread(
        runs=len(numbers),
        least=min(numbers),
        median=median(numbers),
        greatest=max(numbers),
        deviation=stdev(numbers),
    )
