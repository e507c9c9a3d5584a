"""Recorded observations under a spec: as if the run had just been made, or no verdict at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.judge import judge
from retspec.records import Criterion, Direction, Observed, Outcome, Recipe, Report, Severity, Verdict
from retspec.review.recorded import judge_again
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, read_back, run_of

NUMBERS = st.one_of(st.integers(), st.floats())
FINITE = st.one_of(st.integers(-100, 100), st.floats(allow_nan=False, allow_infinity=False))
EXACT = st.one_of(st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=3).map(tuple))
CRITERIA = st.one_of(
    st.builds(
        criterion,
        limit=FINITE,
        direction=st.sampled_from(Direction),
        warn=st.one_of(st.none(), FINITE),
        severity=st.sampled_from(Severity),
    ),
    st.builds(criterion, limit=EXACT, direction=st.just(Direction.EQUAL)),
)
FAILURES = st.one_of(st.none(), st.sampled_from(Verdict))
OBSERVED = st.one_of(st.none(), st.builds(Observed, st.one_of(NUMBERS, EXACT)))
OUTCOMES = st.builds(Outcome, id=st.just("loss_drop"), observed=OBSERVED, failure=FAILURES, reason=st.just("why"))


def first(report: Report) -> tuple[Verdict, str]:
    return report.results[0].verdict, report.results[0].reason


@given(held=CRITERIA, outcome=OUTCOMES)
def test_under_the_same_limits_every_verdict_is_that_of_the_run(held: Criterion, outcome: Outcome) -> None:
    plan = plan_of(held)
    ran = run_of(plan, [outcome])
    again = judge_again([plan], read_back(ran))
    assert first(again)[0] is first(ran)[0]
    assert again.exit_code == ran.exit_code
    if ran.results[0].verdict.is_decided:
        assert again.results[0] == ran.results[0]


@given(held=CRITERIA, outcome=OUTCOMES, limit=FINITE, severity=st.sampled_from(Severity))
def test_under_other_limits_it_is_what_the_run_would_have_said(
    held: Criterion, outcome: Outcome, limit: float, severity: Severity
) -> None:
    other = replace(held, severity=severity)
    if isinstance(held.limit, int | float) and not isinstance(held.limit, bool):
        other = replace(other, limit=limit)
    recorded = read_back(run_of(plan_of(held), [outcome]))
    assert first(judge_again([plan_of(other)], recorded))[0] is judge(other, outcome).verdict


SEEN = Outcome(id="loss_drop", observed=Observed(0.9))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (criterion("new"), "the results do not hold this criterion"),
        (
            criterion(check="other"),
            "it is now other, at least, in no unit; recorded was loss_drop, at least, in no unit",
        ),
        (
            criterion(direction=Direction.AT_MOST),
            "it is now loss_drop, at most, in no unit; recorded was loss_drop, at least, in no unit",
        ),
        (criterion(unit="GB"), "it is now loss_drop, at least, in GB; recorded was loss_drop, at least, in no unit"),
        (criterion(arguments={"steps": 21}), "its arguments differ from the recorded ones: steps"),
        (criterion(arguments={"steps": 20, "more": 1}), "its arguments differ from the recorded ones: more"),
    ],
)
def test_what_was_not_recorded_is_not_run(asked: Criterion, reason: str) -> None:
    recorded = read_back(run_of(plan_of(criterion(arguments={"steps": 20})), [SEEN]))
    asked = replace(asked, limit=0.0, arguments=asked.arguments or {"steps": 20})
    again = judge_again([plan_of(asked)], recorded)
    assert first(again) == (Verdict.NOT_RUN, reason)
    assert again.exit_code == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train": Recipe(lr=0.1)}, "train.lr was the default and is 0.1"),
        ({"model": {"timm": "other"}}, 'model was the default and is {"timm": "other"}'),
    ],
)
def test_results_of_another_subject_judge_nothing(changes: dict[str, Any], says: str) -> None:
    recorded = read_back(run_of(plan_of(criterion()), [SEEN]))
    again = judge_again([plan_of(criterion(limit=0.0), **changes)], recorded)
    assert first(again) == (Verdict.NOT_RUN, f"the results are about another subject: {says}")


def test_results_that_name_no_subject_judge_nothing() -> None:
    plan = plan_of(criterion())
    nameless = replace(run_of(plan, [SEEN]), provenance=replace(run_of(plan, [SEEN]).provenance, subject={}))
    assert first(judge_again([plan], nameless))[0] is Verdict.NOT_RUN


def test_arguments_are_the_same_after_their_way_through_json() -> None:
    plan = plan_of(criterion(arguments={"expected": {4: 393_216}, "shape": (4, 5), "like": None}))
    assert first(judge_again([plan], read_back(run_of(plan, [SEEN]))))[0] is Verdict.MET


def test_secret_arguments_and_limits_are_judged_and_stay_secret() -> None:
    plan = plan_of(criterion(limit=0.125, arguments={"token": "hush-hush"}), secrets=("hush-hush", "0.125"))
    recorded = run_of(plan, [SEEN])
    masked = replace(recorded.results[0].criterion, limit="***", arguments={"token": "***"})
    again = judge_again([plan], read_back(replace(recorded, results=(replace(recorded.results[0], criterion=masked),))))
    assert first(again)[0] is Verdict.MET
    assert "hush" not in repr(again)
    assert "0.125" not in repr(again)


def test_a_skipped_criterion_stays_so_and_one_that_was_skipped_was_not_measured() -> None:
    plain, left_out = criterion(), criterion(skip="not today")
    assert first(judge_again([plan_of(left_out)], run_of(plan_of(plain), [SEEN]))) == (Verdict.SKIPPED, "not today")
    again = judge_again([plan_of(plain)], run_of(plan_of(left_out), []))
    assert first(again) == (Verdict.NOT_RUN, "it was skipped when the results were recorded")


def test_faults_and_the_interruption_of_the_run_stay() -> None:
    plan = plan_of(criterion())
    assert judge_again([plan], run_of(plan, [SEEN], faults=("a hook failed",))).exit_code == 3
    assert judge_again([plan], run_of(plan, [SEEN], interrupted=2)).exit_code == 130


def test_strict_belongs_to_the_judging() -> None:
    plan = plan_of(criterion(limit=1.0, severity=Severity.WARN))
    recorded = run_of(plan, [SEEN], strict=True)
    assert (judge_again([plan], recorded).exit_code, judge_again([plan], recorded, strict=True).exit_code) == (0, 1)
