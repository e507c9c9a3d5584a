"""Criteria that are compared with a baseline: from `vs` and `max_regression` to a limit.

The judge knows limits alone. So the worst value that a baseline allows becomes the limit here, or the spec's own limit
where that is stricter.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.characters import quoted
from retspec.errors import UsageError, did_you_mean
from retspec.records import Criterion, Direction, Regression, plain
from retspec.results.provenance import other_subject, subject_of, subject_sha256
from retspec.results.results_file import read_baseline
from retspec.spec.validate.context import Finding
from retspec.text.masking import Mask
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Baseline, Spec, Value


@dataclass(frozen=True)
class Baselines:
    """The baselines that a valid spec refers to, as seen from its folder."""

    spec: Spec
    folder: Path

    def held(self, criterion: Criterion) -> Criterion | Finding:
        """Return a criterion with its effective limit, or what keeps it from having one."""
        regression = criterion.regression
        if regression is None or criterion.skip is not None:
            return criterion
        place = ("checks", criterion.id, "vs")
        try:
            baseline = read_baseline(self.folder / regression.vs)
        except UsageError as error:
            return Finding(place, f"{criterion.id}: {error}")
        if objection := next(self._objections(criterion, baseline), ""):
            return Finding(place, f"{criterion.id}: {regression.vs} {objection}")
        known = replace(regression, value=baseline.values[criterion.id].value)
        return replace(criterion, regression=known, limit=_stricter(criterion, _worst(criterion.direction, known)))

    def _objections(self, criterion: Criterion, baseline: Baseline) -> Iterator[str]:
        """Yield why a criterion cannot be compared with a baseline; the first reason is enough."""
        subject = subject_of(self.spec)
        if baseline.subject_sha256 != subject_sha256(subject):
            yield f"is about another subject: {other_subject(baseline.subject, subject) or 'its SHA-256 differs'}"
        found = baseline.values.get(criterion.id)
        if found is None:
            near = did_you_mean(criterion.id, baseline.values)
            yield f"has no value of {quoted(criterion.id)}{near}; it has {listing([*baseline.values])}"
        elif (found.check, found.unit) != (criterion.check, criterion.unit):
            yield f"has a value of the check {quoted(found.check)} there, in {found.unit or 'no unit'}"
        elif plain(found.arguments) != plain(Mask(self.spec.secrets).given(criterion.arguments)):
            yield "has a value there that was observed with other arguments; bless one that was observed with these"
        elif abs(found.value) > sys.float_info.max:
            yield "has a value there that is beyond all floats"


def _worst(direction: Direction, regression: Regression) -> float:
    """Return the worst value that a baseline allows."""
    value, most = regression.value, regression.most
    assert value is not None  # noqa: S101 - it was read just now
    room = abs(value) * float(most.removesuffix("%")) / 100 if isinstance(most, str) else most
    return value + room if direction is Direction.AT_MOST else value - room


def _stricter(criterion: Criterion, bound: Value) -> Value:
    """Return a bound, or the limit of the criterion where that allows less."""
    if criterion.limit is None:
        return bound
    # Both are numbers, which the schema ensures.
    choose = min if criterion.direction is Direction.AT_MOST else max
    return choose(criterion.limit, bound)
