"""Propose for each criterion the limit to write, or say why its limit stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.records import Direction, Verdict
from retspec.review.calibration.bounds import bound
from retspec.review.calibration.yaml_edit import LeftAlone, SpecText, Spot, spelled
from retspec.spec.load.scalars import scalar_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

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
        text, new = self.limit(criterion, observed, check, like=self.spec_text.at(spot))
        self.require_change(criterion, new, is_missed=result.verdict is Verdict.MISSED)
        if criterion.warn is not None and not criterion.direction.is_stricter(criterion.warn, new):
            raise LeftAlone(f"its `warn` of {criterion.warn} must stay stricter than {text}")
        return Proposal(result=result, new=new, spot=spot, text=text)

    def spot(self, criterion: Criterion, check: Check) -> Spot:
        spot = self.spec_text.limit(criterion, check, self.dtype)
        if spot is None and not self.options.everything:
            raise LeftAlone("no limit is written here; --all writes one")
        return spot or self.spec_text.insertion(criterion)

    def limit(self, criterion: Criterion, observed: Value, check: Check, *, like: str) -> tuple[str, Value]:
        """Return the limit that follows from an observation, as text and as value."""
        if criterion.direction is Direction.EQUAL:
            return spelled(observed, like), observed
        assert isinstance(observed, int | float)  # noqa: S101 - the judge gives no verdict on anything else
        text = spelled(bound(observed, criterion.direction, self.options.margin, is_count=check.counts), like)
        value = _typed(text, check.value_type)
        if why := check.why_never_missed(value):
            raise LeftAlone(f"{text} cannot be its limit: {why}")
        return text, value

    def require_change(self, criterion: Criterion, new: Value, *, is_missed: bool) -> None:
        """Raise LeftAlone for a limit that changes nothing, and for a looser one without `loosen`."""
        if new == criterion.limit:
            raise LeftAlone("it would stay the same")
        if self.options.loosen or criterion.limit is None or criterion.direction.is_stricter(new, criterion.limit):
            return
        if is_missed:
            raise LeftAlone(f"it is missed; --loosen makes it {spelled(new)}")
        raise LeftAlone(f"it is stricter than {spelled(new)} already")


def _observed(result: Result) -> Value:
    if result.verdict is Verdict.SKIPPED:
        raise LeftAlone("the spec skips it")
    if result.observed is None or not result.verdict.is_decided:
        raise LeftAlone(f"no verdict: {result.reason}")
    return result.criterion.judged(result.observed)


def _typed(text: str, annotation: Any) -> Value:
    """Return the value that a limit will be read as.

    Raises LeftAlone when the margin takes it out of the bounds of its type.
    """
    try:
        value: Value = msgspec.convert(scalar_of(text), annotation, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise LeftAlone(f"{text} cannot be its limit: {error}") from None
    return value
