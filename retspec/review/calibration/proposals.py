"""Propose for each criterion the limit to write, or say why its limit stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.records import Direction, Judged, Verdict
from retspec.review.calibration.bounds import bound
from retspec.review.calibration.false_alarms import from_seeds
from retspec.review.calibration.yaml_edit import LeftAlone, SpecText, Spot, spelled
from retspec.spec.load.scalars import scalar_of
from retspec.text.seeds import judged_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check
    from retspec.records import Criterion, Result, Value


@dataclass(frozen=True, kw_only=True)
class CalibrationOptions:
    """What a calibration may change, and by how much."""

    margin: Decimal
    """A share of the observed value: at least 0, less than 1."""
    loosen: bool = False
    """Whether a limit may become less strict."""
    false_alarm: Decimal | None = None
    """The chance of a false alarm that limits are written for, in place of the margin, where there are seeds."""
    everything: bool = False
    """Whether a criterion that uses the default limit of its check gets a written one."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The proposal for one criterion."""

    result: Result
    new: Value | None = None
    """The limit to write; None when the limit stays, and `reason` says why."""
    reason: str = ""
    spot: Spot | None = None
    text: str = ""
    """The new limit as YAML text."""
    chance: str = ""
    """How often a setup that is as good misses the new limit; empty where that is not known."""
    comment: Spot | None = None
    """Where a comment says so, or said so of the old limit."""
    judge: Spot | None = None
    """Where `judge: point` becomes `judge: bound`, which the limit is from; None where it is the bound already."""

    def applied(self, criterion: Criterion) -> Criterion:
        """Return the criterion as it is meant to be afterwards."""
        return replace(criterion, limit=self.new, judge=Judged.BOUND if self.judge else criterion.judge)


def propose(
    results: Iterable[Result], catalog: Catalog, text: str, options: CalibrationOptions, dtype: str
) -> list[Proposal]:
    """Return a proposal for each result.

    text: the text of the spec. dtype: the dtype of the run, which selects the limit where limits differ by dtype.
    """
    proposing = _Proposing(SpecText(text), catalog, options, dtype)
    return [proposing.proposal(result) for result in results]


@dataclass(frozen=True)
class _Proposing:
    spec_text: SpecText
    catalog: Catalog
    options: CalibrationOptions
    dtype: str

    def proposal(self, result: Result) -> Proposal:
        try:
            return self.change(result, self.catalog.checks[result.criterion.check])
        except LeftAlone as reason:
            return Proposal(result=result, reason=str(reason))

    def change(self, result: Result, check: Check) -> Proposal:
        criterion, observed = result.criterion, _observed(result)
        if criterion.regression is not None:
            raise LeftAlone("it is compared with a baseline")
        spot = self.spot(criterion, check)
        judge = self.spec_text.judge(criterion) if criterion.judge is Judged.POINT else None
        found, chance = self.limit(result, observed, check)
        text = spelled(found, self.spec_text.at(spot))
        new = _typed(text, check.value_type) if isinstance(found, Decimal) else found
        if isinstance(found, Decimal) and (why := check.why_never_missed(new)):
            raise LeftAlone(f"{text} cannot be its limit: {why}")
        self.require_change(criterion, new, _trouble(result.verdict), chance)
        if criterion.warn is not None and not criterion.direction.is_stricter(criterion.warn, new):
            raise LeftAlone(f"its `warn` of {criterion.warn} must stay stricter than {text}")
        comment = self.spec_text.comment(spot)
        return Proposal(result=result, new=new, spot=spot, text=text, chance=chance, comment=comment, judge=judge)

    def spot(self, criterion: Criterion, check: Check) -> Spot:
        spot = self.spec_text.limit(criterion, check, self.dtype)
        if spot is None and not self.options.everything:
            raise LeftAlone("no limit is written here; --all writes one")
        return spot or self.spec_text.insertion(criterion)

    def limit(self, result: Result, observed: Value, check: Check) -> tuple[Value | Decimal, str]:
        """Return the limit that follows from what was observed, and the chance of a false alarm in words."""
        criterion = result.criterion
        if criterion.direction is Direction.EQUAL:
            seen = {each.observed.value for each in result.seeds.each if each.observed} if result.seeds else {observed}
            if len(seen) > 1:
                raise LeftAlone("it differs with the seed")
            return observed, ""
        assert isinstance(observed, int | float)  # noqa: S101 - the judge gives no verdict on anything else
        if result.seeds is None:
            return bound(observed, criterion.direction, self.options.margin, is_count=check.counts), ""
        values = judged_values(replace(criterion, judge=Judged.BOUND), result.seeds)
        found = from_seeds(
            values, criterion.direction, self.options.margin, self.options.false_alarm, is_count=check.counts
        )
        return found.limit, found.chance

    def require_change(self, criterion: Criterion, new: Value, trouble: str, chance: str) -> None:
        """Raise LeftAlone for a limit that changes nothing, and for a looser one without `loosen`.

        A limit on a bound is stricter than the same one on the point, so that the numbers alone are compared.
        """
        if new == criterion.limit:
            raise LeftAlone("it would stay the same")
        if self.options.loosen or criterion.limit is None or criterion.direction.is_stricter(new, criterion.limit):
            return
        if trouble:
            raise LeftAlone(f"it {trouble}; --loosen makes it {spelled(new)}")
        if chance and self.options.false_alarm is not None:
            raise LeftAlone(f"stricter than {spelled(new)}: more false alarms; see --loosen")
        raise LeftAlone(f"it is stricter than {spelled(new)} already")


def _observed(result: Result) -> Value:
    """Return what a limit is proposed from: the value, or the worse end of its interval."""
    if result.verdict is Verdict.SKIPPED:
        raise LeftAlone("the spec skips it")
    observed, is_wide = result.observed, _is_wide(result)
    if observed is None or not (result.verdict.is_decided or is_wide):
        raise LeftAlone(f"no verdict: {result.reason}")
    return replace(result.criterion, judge=Judged.BOUND).judged(observed)


def _is_wide(result: Result) -> bool:
    """Whether there is no verdict only because an interval is too wide for the limit."""
    observed = result.observed
    is_open = result.verdict is Verdict.INCONCLUSIVE and observed is not None and observed.interval is not None
    return is_open and observed is not None and not observed.unseen and not observed.noise


def _trouble(verdict: Verdict) -> str:
    if verdict is Verdict.MISSED:
        return "is missed"
    return "" if verdict.is_decided else "has no verdict, since its interval is too wide"


def _typed(text: str, annotation: Any) -> Value:
    """Return the value that a limit will be read as.

    Raises LeftAlone when the margin takes it out of the bounds of its type.
    """
    try:
        value: Value = msgspec.convert(scalar_of(text), annotation, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise LeftAlone(f"{text} cannot be its limit: {error}") from None
    return value
