"""A run under several seeds: what depends on the seed is measured again, folded, and judged once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import SpecError, UsageError
from retspec.records import Aggregate, Verdict
from retspec.running import run
from tests.run.tools import HERE, result_of, spec_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retspec.records import Report, Result

SEEDED = str(HERE / "seeded.py")
FIVE = [0.8, 0.9, 0.4, 0.7, 0.6]


def table_in(folder: Path, values: Sequence[object], first: int = 42) -> Path:
    path = folder / "table.json"
    path.write_text(json.dumps({first + number: value for number, value in enumerate(values)}))
    return path


def run_seeded(folder: Path, checks: str, values: Sequence[object] = FIVE, **options: Any) -> Report:
    table = table_in(folder, values)
    spec = spec_in(folder, checks.replace("TABLE", str(table)), options.pop("head", ""))
    return run(spec, plugins=[SEEDED], entry_points=False, seeds=len(values), **options)


def one_of(folder: Path, check: str, limit: float, values: Sequence[object] = FIVE, more: str = "") -> Result:
    report = run_seeded(folder, f"{check}: {{limit: {limit}, with: {{table: TABLE}}{more}}}", values)
    return result_of(report, check)


def calls(folder: Path) -> list[str]:
    return (folder / "table.json.log").read_text().splitlines()


@pytest.mark.parametrize(
    ("check", "aggregate", "judged"),
    [
        ("at_least", "worst", 0.4),
        ("at_most", "worst", 0.9),
        ("at_least", "median", 0.7),
        ("at_most", "median", 0.7),
        ("at_least", "all", 0.4),
    ],
)
def test_the_aggregate_says_which_value_is_judged(tmp_path: Path, check: str, aggregate: str, judged: float) -> None:
    result = one_of(tmp_path, check, 0.5, more=f", aggregate: {aggregate}")
    assert result.observed is not None
    assert result.observed.value == judged
    assert result.seeds is not None
    assert result.seeds.aggregate is Aggregate(aggregate)


@pytest.mark.parametrize(("check", "judged"), [("at_least", 0.6), ("at_most", 0.7)])
def test_the_median_of_an_even_number_is_the_worse_one_in_the_middle(tmp_path: Path, check: str, judged: float) -> None:
    result = one_of(tmp_path, check, 0.5, [0.4, 0.6, 0.7, 0.9], ", aggregate: median")
    assert result.observed is not None
    assert result.observed.value == judged


def test_by_default_one_bad_seed_misses(tmp_path: Path) -> None:
    result = one_of(tmp_path, "at_least", 0.5)
    assert result.verdict is Verdict.MISSED
    assert result.reason == (
        "at_least = 0.4, required at least 0.5 (short by 0.1); "
        "the worst of 5 seeds: 0.4 … 0.9 over 5 seeds, flips 1 of 5"
    )


def test_values_spread_and_flips_are_kept_by_seed(tmp_path: Path) -> None:
    seeds = one_of(tmp_path, "at_least", 0.5).seeds
    assert seeds is not None
    assert {each.seed: each.observed and each.observed.value for each in seeds.each} == dict(
        zip(range(42, 47), FIVE, strict=True)
    )
    assert [each.verdict for each in seeds.each].count(Verdict.MISSED) == 1
    assert seeds.judged == 44
    assert (seeds.least, seeds.greatest) == (0.4, 0.9)
    assert seeds.spread == pytest.approx(0.5)
    assert seeds.deviation == pytest.approx(0.1923538)
    assert (seeds.flips, seeds.flip_rate) == (1, 0.2)


@pytest.mark.parametrize("aggregate", ["worst", "all"])
def test_an_exact_check_is_met_under_every_seed_or_missed(tmp_path: Path, aggregate: str) -> None:
    result = one_of(tmp_path, "exactly", 1.0, [1.0, 1.0, 2.0], f", aggregate: {aggregate}")
    assert result.verdict is Verdict.MISSED
    assert result.seeds is not None
    assert (result.seeds.judged, result.seeds.spread, result.seeds.flips) == (44, None, 1)
    assert one_of(tmp_path, "exactly", 1.0, [1.0, 1.0, 1.0]).verdict is Verdict.MET


def test_a_median_of_exact_values_is_refused_with_its_mark(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        one_of(tmp_path, "exactly", 1.0, more=", aggregate: median")
    (problem,) = refused.value.problems
    assert problem.message == "exactly must equal its limit under every seed: there is no median; write worst or all"
    line = (tmp_path / "spec.yaml").read_text().splitlines()[4]
    assert (problem.mark.line, problem.mark.column) == (5, line.rindex("median") + 1)


@pytest.mark.parametrize("aggregate", list(Aggregate))
@pytest.mark.parametrize(("last", "verdict"), [("die", Verdict.CRASH), ("raise", Verdict.ERROR), (None, Verdict.ERROR)])
def test_a_seed_without_a_verdict_takes_it_away(
    tmp_path: Path, aggregate: Aggregate, last: object, verdict: Verdict
) -> None:
    result = one_of(tmp_path, "at_least", 0.5, [0.9, last, 0.1], f", aggregate: {aggregate.value}")
    assert result.verdict is verdict
    assert result.reason.endswith("; under seed 43")
    assert result.seeds is not None
    assert [each.verdict for each in result.seeds.each] == [Verdict.MET, verdict, Verdict.MISSED]


def test_a_seed_that_is_too_slow_is_a_timeout_and_the_others_are_measured(tmp_path: Path) -> None:
    result = one_of(tmp_path, "at_least", 0.5, [0.9, "wait", 0.8], ", timeout: 1s")
    assert result.verdict is Verdict.TIMEOUT
    assert result.seeds is not None
    assert [each.verdict for each in result.seeds.each] == [Verdict.MET, Verdict.TIMEOUT, Verdict.MET]


TWO = """\
at_least: {limit: 0.3, with: {table: TABLE}}
fixed_is: {limit: 1, with: {table: TABLE}}
"""


@pytest.mark.parametrize("jobs", [1, 3])
def test_only_what_depends_on_the_seed_is_measured_again(tmp_path: Path, jobs: int) -> None:
    report = run_seeded(tmp_path, TWO, jobs=jobs)
    assert report.exit_code == 0
    assert sorted(line.split()[1] for line in calls(tmp_path) if line.startswith("drawn")) == [
        "42",
        "43",
        "44",
        "45",
        "46",
    ]
    assert calls(tmp_path).count("fixed") == 1
    assert result_of(report, "fixed_is").seeds is None
    assert len({line for line in calls(tmp_path) if line.startswith("drawn")}) == 5


def test_lanes_measure_seeds_side_by_side(tmp_path: Path) -> None:
    run_seeded(tmp_path, TWO, jobs=2)
    assert len({line.split()[2] for line in calls(tmp_path) if line.startswith("drawn")}) == 2


def test_what_is_the_same_under_every_seed_alone_makes_no_more_rounds(tmp_path: Path) -> None:
    report = run_seeded(tmp_path, "fixed_is: {limit: 1, with: {table: TABLE}}")
    assert (report.exit_code, calls(tmp_path)) == (0, ["fixed"])
    assert report.results[0].seeds is None
    said = "Every criterion is measured once, not under 5 seeds: none reads anything that is made anew under each."
    assert report.notes == (said,)


def test_what_is_measured_again_needs_no_such_note(tmp_path: Path) -> None:
    assert run_seeded(tmp_path, TWO).notes == ()
    assert run_seeded(tmp_path, "fixed_is: {limit: 1, with: {table: TABLE}}", [0.8]).notes == ()


def test_the_first_miss_ends_a_run_that_is_to_fail_fast(tmp_path: Path) -> None:
    checks = "at_least: {limit: 0.5, with: {table: TABLE}}\nat_most: {limit: 0.5, with: {table: TABLE}}"
    report = run_seeded(tmp_path, checks, fail_fast=True)
    assert [result.verdict for result in report.results] == [Verdict.MISSED, Verdict.NOT_RUN]


def test_every_cell_of_a_matrix_has_its_seeds(tmp_path: Path) -> None:
    head = "matrix: [{limit: 0.3}, {limit: 0.5}]"
    report = run_seeded(tmp_path, 'at_least: {limit: "${matrix.limit}", with: {table: TABLE}}', head=head)
    assert [result.verdict for result in report.every_result] == [Verdict.MET, Verdict.MISSED]
    assert all(result.seeds is not None and len(result.seeds.each) == 5 for result in report.every_result)
    assert [part.provenance.seed for part in report.cells] == [42, 42]


def test_the_spec_may_ask_for_seeds_itself(tmp_path: Path) -> None:
    checks = f"at_least: {{limit: 0.5, with: {{table: {table_in(tmp_path, FIVE)}}}}}"
    spec = spec_in(tmp_path, checks, "run: {seed_count: 5}")
    assert result_of(run(spec, plugins=[SEEDED], entry_points=False), "at_least").seeds is not None
    once = result_of(run(spec, plugins=[SEEDED], entry_points=False, seeds=1), "at_least")
    assert (once.seeds, once.verdict) == (None, Verdict.MET)


def test_no_seed_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="seeds= takes a number of at least 1; found 0"):
        run(spec_in(tmp_path, "one: 1"), seeds=0)


def test_facts_are_those_of_the_first_seed_and_the_time_of_all_is_kept(tmp_path: Path) -> None:
    report = run_seeded(tmp_path, "at_least: {limit: 0.3, with: {table: TABLE}}")
    (first, *others) = report.measurements
    assert first.facts == 0.8
    assert [each.key.partition(":")[0] for each in others] == ["seed 43", "seed 44", "seed 45", "seed 46"]
    assert all(each.facts is None for each in others)
