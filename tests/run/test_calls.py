"""What a notebook and a test suite do with `retspec.run` and its report."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

import retspec
from retspec import calls, running
from tests.run.tools import ACTING, spec_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")


def run(spec: Any, **options: Any) -> retspec.Report:
    return retspec.run(spec, plugins=[ACTING], entry_points=False, **options)


def test_a_mapping_runs_in_a_worker_like_a_file(tmp_path: Path) -> None:
    of_file = run(spec_in(tmp_path, "one: 1"))
    report = run({"name": "engine", "checks": {"one": 1}})
    assert [(each.verdict, each.observed) for each in report.results] == [
        (each.verdict, each.observed) for each in of_file.results
    ]
    assert report.notes == of_file.notes == ()
    assert run({"checks": {"one": 9}}, checks={"one": 1}).exit_code == 0


def test_what_is_shown_of_a_criterion_without_a_file_is_its_keys(tmp_path: Path) -> None:
    reports = {"junit": tmp_path / "junit.xml", "markdown": tmp_path / "report.md", "html": tmp_path / "report.html"}
    report = run({"checks": {"one": 0}}, reports=reports)
    with pytest.raises(retspec.NotMet, match=r"checks\.one: missed: ") as caught:
        report.raise_unless_met()
    assert caught.value.report is report
    assert isinstance(caught.value, AssertionError)
    for file in reports.values():
        assert "checks.one" in file.read_text()
        assert "checks.one:0" not in file.read_text()


def test_results_are_found_by_criterion_and_by_cell() -> None:
    report = run({"checks": {"one": 1, "forges": 9}, "matrix": {"run.seed": [1, 2]}})
    assert report.of_cell("seed=2").result("one").verdict is retspec.Verdict.MET
    report.raise_unless_met()
    for wrong, said in (
        (lambda: report.result("one"), r"the report has 2 cells; .* report\.of_cell\('seed=1'\)"),
        (lambda: report.of_cell("seed=3"), "no cell 'seed=3'; did you mean 'seed="),
        (lambda: report.of_cell("seed=1").result("two"), "no criterion 'two'; there are one, forges"),
        (lambda: report.of_cell("seed=1").of_cell("x"), "has no cells"),
    ):
        with pytest.raises(retspec.UsageError, match=said):
            wrong()


def test_several_specs_give_their_reports_in_order(tmp_path: Path) -> None:
    options: dict[str, Any] = {"plugins": [ACTING], "entry_points": False}
    reports = retspec.run_all([spec_in(tmp_path, "one: 1"), {"checks": {"one": 0}}], **options)
    assert [report.exit_code for report in reports] == [0, 1]
    assert retspec.run_all([], **options) == []
    with pytest.raises(retspec.UsageError, match=r"spec 1 of 2: nothing selected"):
        raise retspec.UsageError(
            _refused(lambda: retspec.run_all([{"checks": {"one": 1}}] * 2, select=["x"], **options))
        )


def _refused(call: Any) -> str:
    with pytest.raises(retspec.RetspecError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (retspec.run, "run needs a spec: its path, a mapping, or checks={...}"),
        (lambda: retspec.run(5), "a spec is a path or a mapping; found int"),
        (lambda: retspec.run("a.yaml", checks={"one": 1}), "checks= goes with a mapping"),
        (lambda: retspec.run("nowhere.yaml"), "nowhere.yaml: there is no such file"),
        (lambda: retspec.run({}, slect=[]), "there is no argument 'slect'; did you mean 'select'?"),
        (lambda: retspec.run_all("a.yaml"), "run_all takes a list of specs"),
        (lambda: retspec.run_all([{}], reports=[]), "reports= has 0 entries, and there are 1 specs"),
        (lambda: retspec.run({"checks": {}}), "checks"),
    ],
)
def test_a_wrong_call_is_one_clear_error_from_the_call_itself(call: Any, said: str) -> None:
    with pytest.raises(retspec.RetspecError) as caught:
        call()
    assert said in str(caught.value)
    assert {entry.path.name for entry in caught.traceback} <= {"test_calls.py", "calls.py"}


class Notebook(io.StringIO):
    """What ipykernel puts in the place of standard error, as far as it is recognised."""


Notebook.__module__ = "ipykernel.iostream"


@pytest.mark.parametrize(
    ("stream", "options", "shows"),
    [
        (io.StringIO(), {}, False),
        (io.StringIO(), {"progress": True}, True),
        (Notebook(), {}, True),
        (Notebook(), {"progress": False}, False),
    ],
)
def test_progress_is_shown_where_somebody_looks(
    stream: io.StringIO, options: dict[str, Any], *, shows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert run({"checks": {"one": 1}}, **options).exit_code == 0
    assert bool(stream.getvalue()) is shows
    if shows:
        assert "\r" in stream.getvalue() if isinstance(stream, Notebook) else "one: met (1)" in stream.getvalue()


def test_every_option_of_a_run_is_one_of_the_call() -> None:
    its_own = {"spec", "reports", *calls.Options.__annotations__}
    assert {*running.run.__annotations__} - {"return"} == its_own


def test_a_single_text_counts_as_a_list_of_one() -> None:
    report = run({"checks": {"one": 9, "forges": 9}}, select="one", overrides="checks.one=1")
    assert [(each.criterion.id, each.verdict) for each in report.results] == [("one", retspec.Verdict.MET)]


def test_several_mappings_are_told_apart_in_what_is_wrong() -> None:
    good, typo = {"checks": {"one": 1}}, {"checks": {"onne": 1}}
    with pytest.raises(retspec.SpecError, match=r"checks\.onne: spec 2 of 2: unknown check 'onne'"):
        retspec.run_all([good, typo], plugins=[ACTING], entry_points=False)
    with pytest.raises(retspec.NothingSelected, match="spec 1 of 2: nothing selected"):
        retspec.run_all([good, good], plugins=[ACTING], entry_points=False, select="two")
