"""What is measured elsewhere is judged as here, and what is lost there has no verdict, with the reason."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from retspec.cluster import following
from retspec.records import Verdict
from retspec.running import run, run_all
from tests.cluster.tools import lines, results_of, run_on_pool, spec_in, start
from tests.run.tools import wait_until

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from retspec.records import Report

MATRIX = {"matrix": {"seed": [1, 2, 3]}, "run": {"seed": "${matrix.seed}", "threads": 1}}


def reasons(report: Report) -> dict[str, tuple[Verdict, str]]:
    return {result.criterion.id: (result.verdict, result.reason) for result in report.every_result}


def with_trouble(trouble: str) -> dict[str, Any]:
    return {"run": {"resources": {"trouble": trouble}}}


def normalized(report: str) -> Any:
    """Return results without times, and without what says on which machine and by which options."""
    return json.loads(report, object_hook=_without_times)


def _without_times(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in {"seconds", "started", "hostname", "asked"}}


def test_the_results_are_those_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = spec_in(tmp_path, {"one": {}, "two": {}}, **MATRIX)
    here, there = tmp_path / "here.json", tmp_path / "reports/spec/results.json"
    code, _, output = run_on_pool(spec, "--jobs", "2")
    assert code == 0, output
    run_all([spec.name], reports=[{"json": here}], overrides=["run.executor=pool"], here=True)
    assert normalized(here.read_text()) == normalized(there.read_text())
    assert lines(spec, "one") == 2 * 3
    assert not [*(tmp_path / "reports/tasks").iterdir()]


def test_a_node_that_dies_loses_nothing_that_it_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LATE", 0.5)
    monkeypatch.chdir(tmp_path)
    spec = spec_in(tmp_path, {"first": {}, "second": {"dies": True, "seconds": 0.5}, "third": {"seconds": 0.01}})
    report = run(spec, overrides=["run.executor=pool"])
    found = reasons(report)
    assert report.exit_code == 3
    assert found["first"][0] is Verdict.MET
    assert found["second"] == found["third"] == (Verdict.CRASH, "pool on here: killed by signal 9")


@pytest.mark.parametrize(
    ("trouble", "verdict", "reason"),
    [
        ("start", Verdict.NOT_RUN, "pool: cancelled by the admin"),
        ("other", Verdict.ERROR, "pool on here: this node has torch "),
    ],
)
def test_a_task_that_does_not_measure_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str, verdict: Verdict, reason: str
) -> None:
    monkeypatch.setattr(following, "LATE", 0.5)
    monkeypatch.chdir(tmp_path)
    report = run(spec_in(tmp_path, {"one": {}}, **with_trouble(trouble)), overrides=["run.executor=pool"])
    ((found, why),) = reasons(report).values()
    assert (found, report.exit_code) == (verdict, 3)
    assert why.startswith(reason)


def test_other_versions_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = run(spec_in(tmp_path, {"one": {}}, **with_trouble("other")), overrides=["run.executor=pool"])
    ((_, why),) = reasons(report).values()
    assert why.endswith(" instead of 1.0.0; install the same versions on all nodes")
    assert lines(tmp_path / "spec.yaml", "one") == 0


@pytest.mark.parametrize("trouble", ["silent", "late"])
def test_a_short_silence_and_late_files_cost_nothing(tmp_path: Path, trouble: str) -> None:
    spec = spec_in(tmp_path, {"one": {"seconds": 0.3}}, **with_trouble(trouble))
    code, _, output = run_on_pool(spec)
    assert code == 0, output


def test_an_engine_that_never_answers_does_not_hold_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENCE", 0.5)
    monkeypatch.chdir(tmp_path)
    spec = spec_in(tmp_path, {"one": {"seconds": 5}}, **with_trouble("dead"))
    report = run(spec, overrides=["run.executor=pool"])
    ((verdict, why),) = reasons(report).values()
    assert (verdict, report.exit_code) == (Verdict.NOT_RUN, 3)
    assert why.endswith("pool: no answer")


def test_an_engine_that_takes_no_task_ends_the_run_with_its_words(tmp_path: Path) -> None:
    code, report, output = run_on_pool(spec_in(tmp_path, {"one": {}}, **with_trouble("refuses")))
    assert (code, report.exit_code) == (2, 3)
    assert "Error: pool: there is no partition 'gpux'" in output


def test_ctrl_c_leaves_nothing_behind_and_resume_measures_the_rest(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"quick": {}, "slow": {"seconds": 3}})
    process = start(spec)
    assert wait_until(lambda: lines(spec, "slow") == 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert results_of(spec).result("slow").verdict is Verdict.NOT_RUN
    code, report, output = run_on_pool(spec, "--resume")
    assert (code, lines(spec, "quick"), lines(spec, "slow")) == (0, 1, 2), output
    assert report.result("quick").verdict is Verdict.MET


def test_a_front_end_that_is_killed_leaves_tasks_that_resume_takes_up(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"quick": {}, "slow": {"seconds": 2}})
    process = start(spec)
    assert wait_until(lambda: lines(spec, "slow") == 1)
    process.kill()
    process.communicate(timeout=60)
    code, _, output = run_on_pool(spec, "--resume")
    assert (code, lines(spec, "quick"), lines(spec, "slow")) == (0, 1, 1), output


def test_a_run_without_resume_ends_what_the_last_one_left_behind(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"slow": {"seconds": 2}})
    process = start(spec)
    assert wait_until(lambda: lines(spec, "slow") == 1)
    process.kill()
    process.communicate(timeout=60)
    begun = time.monotonic()
    code, report, output = run_on_pool(spec)
    assert (code, lines(spec, "slow")) == (0, 2), output
    assert report.result("slow").verdict is Verdict.MET
    assert time.monotonic() - begun < 60


def test_resume_refuses_a_spec_that_asks_for_something_else(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"quick": {}, "slow": {"seconds": 2}})
    process = start(spec)
    assert wait_until(lambda: lines(spec, "slow") == 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    spec_in(tmp_path, {"quick": {}, "slow": {"seconds": 0.5}})
    code, _, output = run_on_pool(spec, "--resume")
    assert code == 2
    assert "--resume: the specs ask for other things than the run that ended; run without it" in output


def test_two_front_ends_at_once_have_folders_of_their_own(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"slow": {"seconds": 1.5}})
    first, second = start(spec), start(spec)
    codes = [process.communicate(timeout=120) and process.returncode for process in (first, second)]
    assert codes == [0, 0]
    assert lines(spec, "slow") == 2


def test_a_failure_ends_the_tasks_with_fail_fast(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"missed": {}, "slow": {"seconds": 30}})
    spec.write_text(spec.read_text().replace('"limit": 1', '"limit": 9', 1))
    begun = time.monotonic()
    code, report, output = run_on_pool(spec, "-x")
    assert code == 1, output
    assert report.result("slow").verdict is Verdict.NOT_RUN
    assert time.monotonic() - begun < 25


def test_a_local_run_that_was_ended_is_taken_up(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"quick": {}, "slow": {"seconds": 3}})
    process = start(spec, "--executor", "local")
    assert wait_until(lambda: lines(spec, "slow") == 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    code, report, output = run_on_pool(spec, "--resume", "--executor", "local")
    assert (code, lines(spec, "quick"), lines(spec, "slow")) == (0, 1, 2), output
    assert any("1 of 2 criteria were measured by the run of " in note for note in report.notes)
    code, _, output = run_on_pool(spec, "--resume", "--executor", "local")
    assert (code, lines(spec, "quick")) == (0, 2)
    assert "no run of this spec has ended early" in output
