"""The judge: what is met, and everything that must never be."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.judge import judge, not_run, skipped
from retspec.records import Direction, Observed, Outcome, Severity, Verdict
from tests.report.formats.sample import criterion, judged

MOST, LEAST, EQUAL = Direction.AT_MOST, Direction.AT_LEAST, Direction.EQUAL
NUMBERS = st.one_of(st.integers(), st.floats())
VALUES = st.one_of(
    NUMBERS,
    st.booleans(),
    st.text(max_size=3),
    st.none(),
    st.lists(st.integers(), max_size=3),
    st.lists(st.one_of(st.integers(), st.booleans()), max_size=3).map(tuple),
)
PAIRS = st.one_of(st.tuples(VALUES, VALUES), VALUES.map(lambda value: (value, value)))
"""A limit and a value; equal ones by intent, because by chance they never are."""


@pytest.mark.parametrize(
    ("direction", "limit", "value", "verdict"),
    [
        (MOST, 1_000_000, 791_557, Verdict.MET),
        (MOST, 1e-5, 1e-5, Verdict.MET),
        (MOST, 0, 1, Verdict.MISSED),
        (LEAST, 0.5, 0.5, Verdict.MET),
        (LEAST, 0.5, 0.49999999999999994, Verdict.MISSED),
        (LEAST, 1, 1.0, Verdict.MET),
        (EQUAL, 48, 48, Verdict.MET),
        (EQUAL, 48, 49, Verdict.MISSED),
        (EQUAL, True, False, Verdict.MISSED),
        (EQUAL, True, True, Verdict.MET),
        (EQUAL, "float32", "bfloat16", Verdict.MISSED),
        (EQUAL, (4, 5), (4, 5), Verdict.MET),
        (EQUAL, (4, 5), (4, 5, 1), Verdict.MISSED),
    ],
)
def test_a_genuine_value_is_held_against_the_limit(
    direction: Direction, limit: Any, value: Any, verdict: Verdict
) -> None:
    assert judged(criterion("x", limit, direction=direction), value).verdict is verdict


def test_integers_are_compared_exactly_where_floats_would_be_equal() -> None:
    limit = 2**53
    assert float(limit) == float(limit + 1)
    assert judged(criterion("x", limit, direction=MOST), limit + 1).verdict is Verdict.MISSED
    assert judged(criterion("x", float(limit), direction=MOST), limit + 1).verdict is Verdict.MISSED
    assert judged(criterion("x", limit, direction=EQUAL), limit + 1).verdict is Verdict.MISSED
    assert judged(criterion("x", 0.5, direction=MOST), 10**400).verdict is Verdict.MISSED


@pytest.mark.parametrize(
    ("direction", "limit", "value", "reason"),
    [
        (MOST, 1.0, math.nan, "the check returned nan: a check must return a finite number"),
        (MOST, 1.0, -math.inf, "the check returned -inf: a check must return a finite number"),
        (LEAST, 1.0, math.inf, "the check returned inf: a check must return a finite number"),
        (LEAST, 1, True, "the check returned true: a check must return a finite number"),
        (MOST, 1, None, "the check returned None: a check must return a finite number"),
        (MOST, 1, "0", "the check returned '0': a check must return a finite number"),
        (EQUAL, True, 1, "the check returned 1: the limit true asks for true or false"),
        (EQUAL, 1, True, "the check returned true: a check must return a finite number"),
        (EQUAL, "float32", 32, "the check returned 32: the limit 'float32' asks for a text"),
        (EQUAL, (1, 2), [1, 2], "the check returned [1, 2]: the limit (1, 2) asks for a tuple of integers"),
        (
            EQUAL,
            (1, 2),
            (True, 2),
            "the check returned (True, 2): the limit (1, 2) asks for a tuple of integers",
        ),
    ],
)
def test_a_value_of_another_kind_has_no_verdict(direction: Direction, limit: Any, value: Any, reason: str) -> None:
    result = judged(criterion("x", limit, direction=direction), value)
    assert (result.verdict, result.reason) == (Verdict.ERROR, reason)
    assert result.observed is not None, "what was returned stays in the report"


@pytest.mark.parametrize(
    ("limit", "verdict"), [(2, Verdict.INCONCLUSIVE), (3, Verdict.INCONCLUSIVE), (1, Verdict.MISSED)]
)
def test_what_was_not_looked_at_leaves_a_miss_and_takes_back_everything_else(limit: int, verdict: Verdict) -> None:
    observed = Observed(2, {}, unseen="1 of 12 files\nwas read")
    result = judge(criterion("x", limit, direction=MOST, warn=1), Outcome(id="x", observed=observed))
    assert result.verdict is verdict
    if verdict is Verdict.INCONCLUSIVE:
        assert result.reason.startswith("x = 2, but 1 of 12 files")
        assert "\n" not in result.reason


@pytest.mark.parametrize(("limit", "verdict"), [(2, Verdict.MET), (1, Verdict.INCONCLUSIVE)])
def test_noise_leaves_what_is_met_and_takes_back_a_miss(limit: int, verdict: Verdict) -> None:
    observed = Observed(2, {}, noise="rounding\nis as much")
    result = judge(criterion("x", limit, direction=MOST, severity=Severity.WARN), Outcome(id="x", observed=observed))
    assert result.verdict is verdict
    if verdict is Verdict.INCONCLUSIVE:
        assert result.reason.endswith("; but rounding is as much")


@pytest.mark.parametrize(
    ("direction", "limit", "value", "reason"),
    [
        (MOST, math.inf, 1.0, "the limit is inf: 'at most' needs a finite number"),
        (LEAST, math.nan, 1.0, "the limit is nan: 'at least' needs a finite number"),
        (MOST, True, True, "the limit is true: 'at most' needs a finite number"),
        (LEAST, "a", "b", "the limit is 'a': 'at least' needs a finite number"),
        (
            EQUAL,
            None,
            None,
            "the limit is None: 'equal' needs a finite number, true or false, a text or a tuple",
        ),
    ],
)
def test_a_limit_that_decides_nothing_meets_nothing(direction: Direction, limit: Any, value: Any, reason: str) -> None:
    result = judged(criterion("x", limit, direction=direction), value)
    assert result.verdict is Verdict.ERROR
    assert result.reason.startswith(reason)


@pytest.mark.parametrize("warn", [math.nan, "6000", True])
def test_a_bound_that_cannot_warn_is_an_error_and_not_a_pass(warn: Any) -> None:
    result = judged(criterion("x", 8000, direction=MOST, warn=warn), 10)
    assert result.verdict is Verdict.ERROR
    assert "like the limit it must be a finite number" in result.reason


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(6000, Verdict.MET), (6001, Verdict.WARNED), (8000, Verdict.WARNED), (8001, Verdict.MISSED)],
)
def test_the_stricter_bound_warns_when_it_alone_is_crossed(value: int, verdict: Verdict) -> None:
    assert judged(criterion("x", 8000, direction=MOST, warn=6000), value).verdict is verdict


def test_a_miss_of_severity_warn_warns_and_says_why() -> None:
    result = judged(criterion(severity=Severity.WARN), 0.31)
    assert result.verdict is Verdict.WARNED
    assert result.reason == "loss_drop = 0.31, required at least 0.5 (short by 0.19); its severity is warn"


def test_a_failure_keeps_its_reason_its_trace_and_its_time() -> None:
    outcome = Outcome(id="loss_drop", failure=Verdict.CRASH, reason="SIGSEGV", trace="stderr", seconds=3.0)
    result = judge(criterion(), outcome)
    assert (result.verdict, result.reason, result.trace, result.seconds) == (
        Verdict.CRASH,
        "SIGSEGV",
        "stderr",
        3.0,
    )


def test_a_failure_counts_even_beside_an_observation_that_would_meet_the_limit() -> None:
    outcome = Outcome(id="loss_drop", observed=Observed(0.9), failure=Verdict.INCONCLUSIVE, reason="no effect")
    assert judge(criterion(), outcome).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("decided", [verdict for verdict in Verdict if verdict.is_decided])
def test_a_worker_cannot_decide(decided: Verdict) -> None:
    outcome = Outcome(id="loss_drop", observed=Observed(0.9), failure=decided)
    assert judge(criterion(), outcome).verdict is Verdict.ERROR


def test_an_outcome_without_anything_in_it_is_an_error() -> None:
    assert judge(criterion(), Outcome(id="loss_drop")).verdict is Verdict.ERROR


def test_what_was_not_judged_says_why() -> None:
    result = skipped(criterion(skip="needs a GPU"))
    assert (result.verdict, result.reason) == (Verdict.SKIPPED, "needs a GPU")
    result = not_run(criterion(), "interrupted")
    assert (result.verdict, result.reason) == (Verdict.NOT_RUN, "interrupted")


# The oracle: exact rational arithmetic, and nothing of retspec's -----------------------------------------


def _is_finite_number(value: Any) -> bool:
    return type(value) in {int, float} and Decimal(value).is_finite()


def _is_exact(value: Any) -> bool:
    is_shape = type(value) is tuple and all(type(entry) is int for entry in value)
    return type(value) in {bool, str} or is_shape


def _holds(direction: Direction, limit: Any, value: Any) -> bool:
    """Whether it is right to say that the limit is met."""
    if _is_finite_number(limit) and _is_finite_number(value):
        room = Fraction(limit) - Fraction(value)
        return {MOST: room >= 0, LEAST: room <= 0, EQUAL: room == 0}[direction]
    return direction is EQUAL and _is_exact(limit) and type(limit) is type(value) and repr(limit) == repr(value)


@given(direction=st.sampled_from(Direction), pair=PAIRS)
def test_met_means_a_genuine_value_for_which_the_comparison_holds(direction: Direction, pair: tuple[Any, Any]) -> None:
    limit, value = pair
    verdict = judged(criterion("x", limit, direction=direction), value).verdict
    assert (verdict is Verdict.MET) == _holds(direction, limit, value)


@given(direction=st.sampled_from(Direction), limit=NUMBERS, value=NUMBERS, warn=NUMBERS)
def test_with_a_bound_that_warns_met_means_that_both_hold(
    direction: Direction, limit: float, value: float, warn: float
) -> None:
    verdict = judged(criterion("x", limit, direction=direction, warn=warn), value).verdict
    assert (verdict is Verdict.MET) == all(_holds(direction, bound, value) for bound in (limit, warn))


@given(value=VALUES, limit=VALUES, same=st.sampled_from(Direction))
def test_every_verdict_says_why_in_one_line_without_signs(value: Any, limit: Any, same: Direction) -> None:
    reason = judged(criterion("x", limit, direction=same), value).reason
    assert reason
    assert len(reason.splitlines()) == 1
