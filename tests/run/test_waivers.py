"""Waivers: a miss that somebody answers for until a day, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.judge import judge, utc_today
from retspec.records import Observed, Outcome, Severity, Verdict
from retspec.report.live import composed
from retspec.text.wording import notes
from tests.report.formats.sample import TODAY, criterion, failed, judged, report, waiver

DAY = timedelta(days=1)
MISSED, MET = 0.31, 0.9


@pytest.mark.parametrize(
    ("until", "verdict", "ending"),
    [
        (TODAY + DAY, Verdict.WAIVED, "waived until 2026-01-16: BatchNorm is thawed on purpose (ada)"),
        (TODAY, Verdict.WAIVED, "waived until 2026-01-15: BatchNorm is thawed on purpose (ada)"),
        (TODAY - DAY, Verdict.MISSED, "its waiver by ada ended on 2026-01-14"),
    ],
)
def test_a_miss_is_waived_up_to_the_last_day(until: date, verdict: Verdict, ending: str) -> None:
    result = judged(criterion(waive=waiver(until)), MISSED)
    assert result.verdict is verdict
    assert result.reason == f"loss_drop = 0.31, required at least 0.5 (short by 0.19); {ending}"


@pytest.mark.parametrize("until", [TODAY, TODAY - DAY])
def test_a_waiver_of_several_lines_is_told_in_one(until: date) -> None:
    result = judged(criterion(waive=waiver(until, reason="first\nsecond", owner="ada\nand bob")), MISSED)
    assert len(result.reason.splitlines()) == 1
    assert "ada and bob" in result.reason


@pytest.mark.parametrize("until", [TODAY, TODAY - DAY])
def test_what_is_met_needs_no_waiver_and_is_told_so(until: date) -> None:
    result = judged(criterion(waive=waiver(until)), MET)
    assert result.verdict is Verdict.MET
    assert result.reason.endswith("; its waiver is no longer needed")


@pytest.mark.parametrize(("values", "is_needed"), [((MET, MISSED), True), ((MET, MET), False)])
def test_a_waiver_is_unneeded_where_every_cell_is_met(values: tuple[float, ...], *, is_needed: bool) -> None:
    cells = [f"r={index}" for index, _ in enumerate(values)]
    results = [judged(criterion(cell=cell, waive=waiver()), value) for cell, value in zip(cells, values, strict=True)]
    parts = [report(result, cell=result.criterion.cell) for result in results]
    whole = composed(parts, seconds=1)
    assert [result.reason for result in results if "its waiver" in result.reason] == []
    unneeded = "specs/lora_preflight.yaml:22:3: loss_drop is met in every cell; its waiver is no longer needed."
    assert notes(whole) == [] if is_needed else [unneeded]


def test_a_crossed_bound_that_warns_is_no_miss_to_waive() -> None:
    result = judged(criterion(warn=0.95, waive=waiver()), MET)
    assert result.verdict is Verdict.WARNED
    assert "its waiver is no longer needed; wanted at least 0.95" in result.reason


@pytest.mark.parametrize(("until", "verdict"), [(TODAY, Verdict.WAIVED), (TODAY - DAY, Verdict.WARNED)])
def test_a_miss_that_would_only_warn_is_waived_too(until: date, verdict: Verdict) -> None:
    held = criterion(severity=Severity.WARN, waive=waiver(until))
    assert judged(held, MISSED).verdict is verdict


@pytest.mark.parametrize("failure", [verdict for verdict in Verdict if not verdict.is_decided])
def test_a_waiver_never_covers_a_missing_verdict(failure: Verdict) -> None:
    assert failed(criterion(waive=waiver()), failure, "because").verdict is failure


@pytest.mark.parametrize("value", [float("nan"), True, "0.9", None])
def test_a_waiver_never_covers_a_value_that_is_none(value: Any) -> None:
    assert judged(criterion(waive=waiver()), value).verdict is Verdict.ERROR


def test_without_a_day_it_is_today_in_utc() -> None:
    before = datetime.now(UTC).date()
    outcome = Outcome(id="loss_drop", observed=Observed(MISSED))
    assert judge(criterion(waive=waiver(utc_today() + DAY)), outcome).verdict is Verdict.WAIVED
    assert judge(criterion(waive=waiver(before - DAY)), outcome).verdict is Verdict.MISSED
    assert before <= utc_today() <= before + DAY


def test_a_waived_miss_counts_apart_and_leaves_the_exit_code_as_if_met() -> None:
    waived = judged(criterion("a", waive=waiver()), MISSED)
    met, missed = judged(criterion("b"), MET), judged(criterion("c"), MISSED)
    assert report(waived, met).exit_code == report(waived).exit_code == 0
    assert report(waived, met, strict=True).exit_code == 0
    assert report(waived, missed).exit_code == 1
    assert report(waived, failed(criterion("d"), Verdict.CRASH, "gone")).exit_code == 3
    assert (report(waived, met).count(Verdict.MET), report(waived, met).count(Verdict.WAIVED)) == (1, 1)


@given(value=st.floats(), until=st.dates(), today=st.dates())
def test_a_waiver_changes_a_miss_and_nothing_else(value: float, until: date, today: date) -> None:
    plain = judged(criterion(), value, today=today)
    held = judged(criterion(waive=waiver(until)), value, today=today)
    if plain.verdict is Verdict.MISSED and today <= until:
        assert held.verdict is Verdict.WAIVED
    else:
        assert held.verdict is plain.verdict
