"""Two results: better and worse by the direction of the check, and nothing said where nothing can be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.judge import judge
from retspec.records import Direction, Interval, Judged, Observed, Outcome, Provenance, Verdict
from retspec.results.comparing import Trend
from retspec.review.recorded import circumstances, compare
from tests.report.formats.sample import criterion, failed, judged, report

MOST, LEAST, EQUAL = Direction.AT_MOST, Direction.AT_LEAST, Direction.EQUAL
FINITE = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("direction", "old", "new", "trend", "percent"),
    [
        (LEAST, 0.5, 0.6, Trend.BETTER, 20),
        (LEAST, 0.5, 0.4, Trend.WORSE, -20),
        (MOST, 0.5, 0.6, Trend.WORSE, 20),
        (MOST, -0.5, -0.6, Trend.BETTER, -20),
        (MOST, 0, 3, Trend.WORSE, None),
        (MOST, 3, 3.0, Trend.SAME, 0),
        (EQUAL, 48, 49, Trend.CHANGED, 100 / 48),
        (EQUAL, "float32", "bfloat16", Trend.CHANGED, None),
        (EQUAL, (4, 5), (4, 5), Trend.SAME, None),
    ],
)
def test_the_trend_follows_the_direction(
    direction: Direction, old: Any, new: Any, trend: Trend, percent: float | None
) -> None:
    held = criterion("x", old, direction=direction)
    (compared,) = compare(report(judged(held, old)), report(judged(held, new)))
    assert compared.trend is trend
    assert compared.percent == (None if percent is None else pytest.approx(percent))


@given(direction=st.sampled_from([MOST, LEAST]), old=FINITE, new=FINITE)
def test_better_is_worse_the_other_way_round(direction: Direction, old: float, new: float) -> None:
    held = criterion(direction=direction)
    reports = report(judged(held, old)), report(judged(held, new))
    there, back = compare(*reports)[0], compare(*reversed(reports))[0]
    opposite = {Trend.BETTER: Trend.WORSE, Trend.WORSE: Trend.BETTER, Trend.SAME: Trend.SAME}
    assert back.trend is opposite[there.trend]
    assert (there.trend is Trend.SAME) == (old == new)
    assert there.change is not None
    assert math.copysign(1, there.change or 0.0) == math.copysign(1, new - old or 0.0)


def test_margins_and_verdicts_of_both_sides_are_there() -> None:
    (compared,) = compare(report(judged(criterion(), 0.75)), report(judged(criterion(limit=1.0), 0.75)))
    assert (compared.trend, compared.change, compared.percent) == (Trend.SAME, 0, 0)
    assert compared.old
    assert compared.new
    assert (compared.old.margin, compared.new.margin) == (0.25, -0.25)
    assert (compared.old.verdict, compared.new.verdict) == (Verdict.MET, Verdict.MISSED)


def test_the_same_value_that_decides_nothing_is_the_same() -> None:
    held = criterion()
    old, other = (replace(judged(held, value), verdict=Verdict.INCONCLUSIVE) for value in (0.75, 0.7))
    assert compare(report(old), report(old))[0].trend is Trend.SAME
    assert compare(report(old), report(other))[0].trend is Trend.INCOMPARABLE
    asked_otherwise = replace(old, criterion=criterion(arguments={"steps": 3}))
    assert compare(report(old), report(asked_otherwise))[0].trend is Trend.INCOMPARABLE


@pytest.mark.parametrize(
    "changes", [{"check": "other"}, {"unit": "MB"}, {"direction": MOST}, {"arguments": {"steps": 3}}]
)
def test_other_questions_are_not_comparable(changes: dict[str, Any]) -> None:
    (compared,) = compare(report(judged(criterion(), 0.9)), report(judged(criterion(**changes), 0.1)))
    assert (compared.trend, compared.change, compared.percent) == (Trend.INCOMPARABLE, None, None)


def test_without_a_verdict_nothing_is_better_or_worse() -> None:
    seen, unseen = judged(criterion(), 0.9), failed(criterion(), Verdict.CRASH, "SIGSEGV")
    assert compare(report(seen), report(unseen))[0].trend is Trend.INCOMPARABLE
    assert compare(report(judged(criterion(), math.nan)), report(seen))[0].trend is Trend.INCOMPARABLE


def test_intervals_too_wide_for_a_verdict_are_compared_by_their_points() -> None:
    held = replace(criterion(), judge=Judged.BOUND)
    wide = [
        judge(
            held,
            Outcome(
                id=held.id,
                observed=Observed(
                    value, interval=Interval(lower=0.1, upper=0.9, level=0.95, method="Wilson", images=9)
                ),
            ),
        )
        for value in (0.6, 0.6, 0.7)
    ]
    assert {result.verdict for result in wide} == {Verdict.INCONCLUSIVE}
    assert compare(report(wide[0]), report(wide[1]))[0].trend is Trend.SAME
    assert compare(report(wide[0]), report(wide[2]))[0].trend is Trend.BETTER


def test_what_came_and_went_is_told_after_the_order_of_the_new() -> None:
    gone, new, stays = (judged(criterion(name), 0.9) for name in ("gone", "new", "stays"))
    compared = compare(report(gone, stays), report(new, stays))
    assert [(each.id, each.trend) for each in compared] == [
        ("new", Trend.ADDED),
        ("stays", Trend.SAME),
        ("gone", Trend.REMOVED),
    ]


def test_an_integer_beyond_the_floats_is_no_crash() -> None:
    old, new = (replace(judged(criterion(), 1), observed=Observed(value)) for value in (10**400, 0.5))
    assert compare(report(old), report(new))[0].change is None


def test_what_else_differs_is_told_by_its_path() -> None:
    old = Provenance(subject={"model": {"lora": {"r": 8}}}, device="cpu", versions={"torch": "2.10"})
    new = Provenance(subject={"model": {"lora": {"r": 16}}}, device="cuda:0", versions={"torch": "2.11"})
    told = [*circumstances(report(provenance=old), report(provenance=new))]
    assert told == [("model.lora.r", 8, 16), ("device", "cpu", "cuda:0"), ("versions.torch", "2.10", "2.11")]
