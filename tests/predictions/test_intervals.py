"""An observation with an interval: which end is judged, what it takes to decide, and where both are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli.tables import shown
from retspec.engine.worker.work import _observed
from retspec.errors import NoVerdict, SpecError
from retspec.judge import judge
from retspec.plugin import Interval
from retspec.plugins.catalog import gather
from retspec.records import Blessing, Criterion, Direction, Judged, Observed, Outcome, Result, Verdict
from retspec.report.formats.junit import junit
from retspec.report.formats.results import json
from retspec.report.formats.table import render_table, row
from retspec.report.page.rendering import render_page
from retspec.review.diffing import changes
from retspec.review.recorded import bless, judge_again
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, read_back, run_of

if TYPE_CHECKING:
    from pathlib import Path

WIDE = Interval(lower=0.818, upper=0.912, level=0.95, method="Wilson", images=300, patients=150, positives=40)


def held(limit: float, what: Judged | None, direction: Direction = Direction.AT_LEAST, **more: Any) -> Criterion:
    return criterion("min_sensitivity", limit=limit, direction=direction, judge=what, unit="", **more)


def verdict_on(asked: Criterion, value: float = 0.872, interval: Interval | None = WIDE, **more: Any) -> Result:
    return judge(asked, Outcome(id=asked.id, observed=Observed(value, interval=interval, **more)))


@pytest.mark.parametrize(
    ("what", "direction", "limit", "verdict"),
    [
        (Judged.POINT, Direction.AT_LEAST, 0.85, Verdict.MET),
        (Judged.BOUND, Direction.AT_LEAST, 0.85, Verdict.INCONCLUSIVE),
        (Judged.BOUND, Direction.AT_LEAST, 0.81, Verdict.MET),
        (Judged.BOUND, Direction.AT_LEAST, 0.9, Verdict.MISSED),
        (Judged.POINT, Direction.AT_LEAST, 0.9, Verdict.MISSED),
        (Judged.POINT, Direction.AT_MOST, 0.9, Verdict.MET),
        (Judged.BOUND, Direction.AT_MOST, 0.9, Verdict.INCONCLUSIVE),
        (Judged.BOUND, Direction.AT_MOST, 0.92, Verdict.MET),
        (Judged.BOUND, Direction.AT_MOST, 0.85, Verdict.MISSED),
    ],
)
def test_the_point_or_the_worse_end_is_judged(
    what: Judged, direction: Direction, limit: float, verdict: Verdict
) -> None:
    assert verdict_on(held(limit, what, direction)).verdict is verdict


def test_the_sentence_says_what_is_judged() -> None:
    assert verdict_on(held(0.85, Judged.POINT)).reason == (
        "min_sensitivity = 0.872 (0.818 to 0.912), required point estimate at least 0.85 (margin 0.022)"
    )
    assert verdict_on(held(0.81, Judged.BOUND)).reason == (
        "min_sensitivity = 0.872 (0.818 to 0.912), required lower bound at least 0.81 (margin 0.008)"
    )
    assert "required upper bound at most 0.92" in verdict_on(held(0.92, Judged.BOUND, Direction.AT_MOST)).reason


def test_a_limit_inside_the_interval_needs_more_patients_as_the_width_falls_with_their_root() -> None:
    result = verdict_on(held(0.85, Judged.BOUND))
    # ((0.872 - 0.818) / (0.872 - 0.85))² = 6.02…
    assert result.reason.endswith("150 patients do not decide it; about 904 would, if the estimate stays")
    by_image = verdict_on(held(0.85, Judged.BOUND), interval=replace(WIDE, patients=None))
    assert "300 images do not decide it; about 1,808 would" in by_image.reason
    logit = verdict_on(held(0.85, Judged.BOUND), interval=replace(WIDE, scale="logit"))
    assert "about 766 would" in logit.reason  # (0.4157 / 0.1840)² of the logits
    assert "no number of patients" in verdict_on(held(0.872, Judged.BOUND)).reason


def test_a_waiver_does_not_cover_what_is_not_decided_and_warn_is_judged_alike() -> None:
    assert verdict_on(held(0.8, Judged.BOUND, warn=0.85)).verdict is Verdict.WARNED
    assert verdict_on(held(0.8, Judged.POINT, warn=0.85)).verdict is Verdict.MET


@pytest.mark.parametrize(
    ("what", "interval", "reason"),
    [
        (Judged.BOUND, None, "the check returned no interval, and `judge: bound` asks for one"),
        (Judged.POINT, None, "the check returned no interval, and `judge: point` asks for one"),
        (None, WIDE, "does not declare it: `@check(interval=True)`"),
        (Judged.BOUND, replace(WIDE, lower=float("nan")), "its ends are numbers"),
    ],
)
def test_what_cannot_be_judged_as_the_spec_asks_is_never_green(
    what: Judged | None, interval: Interval | None, reason: str
) -> None:
    result = verdict_on(held(0.1, what), interval=interval)
    assert result.verdict is Verdict.ERROR
    assert reason in result.reason


def test_the_worker_refuses_an_interval_that_is_none() -> None:
    assert _observed(Observed(0.5, interval=WIDE)).interval == WIDE
    for wrong in ((0.1, 0.9), replace(WIDE, upper=float("inf")), replace(WIDE, lower=1)):
        with pytest.raises(NoVerdict, match="as an interval, whose ends are finite floats"):
            _observed(Observed(0.5, interval=wrong))  # type: ignore[arg-type]


def test_every_report_shows_the_interval_and_what_is_judged() -> None:
    asked = held(0.81, Judged.BOUND)
    report = run_of(plan_of(asked), [Outcome(id=asked.id, observed=Observed(0.872, interval=WIDE))])
    assert row(report.results[0])[1:4] == ("0.872 (0.818 to 0.912)", "lower bound at least 0.81", "0.008")
    assert "0.872 (0.818 to 0.912)" in render_table(report)
    xml = junit(report)
    assert '<property name="judge" value="bound"' in xml
    assert "[[PROPERTY|retspec.lower=0.818]]" in xml
    assert "min_sensitivity = 0.872 (0.818 to 0.912), required lower bound at least 0.81" in xml
    assert '"patients": 150' in json(report)
    page = render_page([report])
    assert "0.872 (0.818 to 0.912)" in page
    assert "lower bound at least 0.81" in page


def test_results_without_intervals_are_written_as_before() -> None:
    plain = criterion("loss_drop")
    text = json(run_of(plan_of(plain), [Outcome(id=plain.id, observed=Observed(0.9))]))
    assert '"interval"' not in text
    assert '"judge"' not in text


@pytest.mark.parametrize(
    ("was", "now", "verdict"),
    [
        (Judged.BOUND, Judged.POINT, Verdict.MET),
        (Judged.POINT, Judged.BOUND, Verdict.INCONCLUSIVE),
        (Judged.BOUND, Judged.BOUND, Verdict.INCONCLUSIVE),
    ],
)
def test_recorded_results_are_judged_by_either(was: Judged, now: Judged, verdict: Verdict) -> None:
    before, after = held(0.85, was), held(0.85, now)
    recorded = read_back(run_of(plan_of(before), [Outcome(id=before.id, observed=Observed(0.872, interval=WIDE))]))
    assert judge_again([plan_of(after)], recorded).results[0].verdict is verdict


def test_a_recorded_reason_against_a_verdict_stays_one() -> None:
    asked = held(0.5, Judged.POINT)
    few = Observed(0.872, interval=WIDE, unseen="12 patients", noise="12 patients")
    recorded = read_back(run_of(plan_of(asked), [Outcome(id=asked.id, observed=few)]))
    assert judge_again([plan_of(asked)], recorded).results[0].verdict is Verdict.INCONCLUSIVE
    missed = replace(asked, limit=0.9)
    assert judge_again([plan_of(missed)], recorded).results[0].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("old", "new", "kind", "is_loosening"),
    [(Judged.BOUND, Judged.POINT, "LOOSENED", True), (Judged.POINT, Judged.BOUND, "TIGHTENED", False)],
)
def test_the_point_in_place_of_the_bound_is_a_loosening(
    old: Judged, new: Judged, kind: str, *, is_loosening: bool
) -> None:
    (change,) = changes([plan_of(held(0.85, old)).spec], [plan_of(held(0.85, new)).spec])
    assert (change.part, change.kind.value, change.is_loosening) == ("judge", kind, is_loosening)
    assert (shown(change.old), shown(change.new)) == (old.value, new.value)


PLUGIN = """
from retspec.plugin import Check, Interval, Observed, check, hookimpl

@check(direction="at least", advice="Nothing to do.", interval=True)
def min_share() -> Observed[float]:
    '''How large is it?

    Example:
        min_share: {limit: 0.9, judge: bound}
    '''
    return Observed(0.5, interval=Interval(lower=0.4, upper=0.6, level=0.95, method="", images=9))

@check(direction="at least", advice="Nothing to do.")
def plain() -> float:
    '''How large is it?'''
    return 0.5

@hookimpl
def retspec_checks() -> list[Check]:
    return [min_share, plain]
"""


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("min_share: {limit: 0.9}", "does not say what is held against the limit; add `judge: point`"),
        ("min_share: 0.9", "expected the long form, a mapping, for example `min_share: {limit: 0.9, judge: bound}`"),
        ("min_share: {limit: 0.9, judge: bond}", "expected one of point, bound; found the text 'bond'; did you"),
        ("plain: {limit: 0.9, judge: bound}", "unknown key 'judge' in checks.plain"),
    ],
)  # fmt: skip
def test_a_criterion_says_what_is_judged_exactly_where_there_is_an_interval(
    tmp_path: Path, entry: str, problem: str
) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    (tmp_path / "spec.yaml").write_text(f"retspec: 1\nchecks:\n  {entry}\n")
    with pytest.raises(SpecError) as raised:
        validate(load(tmp_path / "spec.yaml"), gather([str(tmp_path / "own.py")], entry_points=False))
    assert problem in str(raised.value)
    assert "spec.yaml:3:" in str(raised.value)


def test_what_was_judged_is_blessed() -> None:
    asked = held(0.81, Judged.BOUND)
    report = run_of(plan_of(asked), [Outcome(id=asked.id, observed=Observed(0.872, interval=WIDE))])
    known = replace(report, provenance=replace(report.provenance, subject_sha256="0" * 64))
    blessed = bless(known, Blessing(who="ada", when="2026-01-01T00:00:00", reason="the first"))
    assert blessed.values["min_sensitivity"].value == WIDE.lower
