"""Cells and specs side by side: as independent as one after another, and none of what went wrong gets lost."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from retspec.engine.supervisor import worker_process
from retspec.plugins.hooks import hookimpl
from retspec.records import Verdict
from retspec.running import run
from retspec.subjects.devices import cores
from tests.processes import is_running
from tests.run.tools import spec_in, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report, Result

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

HEAD = 'plugins: ["tests.run.meeting", "tests.run.process"]\n'
COUNTED = """\
model:
  factory: "tests.run.counted:build"
  kwargs: {log: LOG}
  lora: {target_modules: [body], modules_to_save: [head]}
matrix: [{model.lora.r: 2}, {model.lora.r: 4}, {model.lora.r: 8}]
data: {synthetic: {input_size: [3, 8, 8]}}
train: {steps: 2}
run: {device: cpu, threads: 1}
"""


def verdicts(report: Report) -> list[Verdict]:
    return [result.verdict for result in report.every_result]


def meeting_in(folder: Path, names: str, others: int) -> Path:
    check = f'others_met: {{limit: {others}, with: {{folder: {folder}, me: "${{matrix.me}}", others: {others}}}}}'
    return spec_in(folder, check, f"{HEAD}matrix: {{me: [{names}]}}\n")


def test_as_many_cells_as_jobs_are_at_work_at_a_time(tmp_path: Path) -> None:
    report = run(meeting_in(tmp_path, "a, b, c", others=1), entry_points=False, jobs=2)
    assert verdicts(report) == [Verdict.MET] * 3
    assert report.exit_code == 0


def test_without_jobs_they_are_one_after_another(tmp_path: Path) -> None:
    report = run(meeting_in(tmp_path, "a, b", others=0), entry_points=False)
    assert [result.observed and result.observed.value for result in report.every_result] == [0, 1]


@pytest.mark.usefixtures("warm_programs")
def test_observations_do_not_depend_on_the_number_of_jobs(tmp_path: Path) -> None:
    checks = "merge_atol: 1e-3\nloss_drop: -1\nmin_trainable_params: 1\n"
    spec = spec_in(tmp_path, checks, COUNTED.replace("LOG", str(tmp_path / "log.txt")))
    alone, together = (run(spec, entry_points=False, jobs=jobs) for jobs in (1, 2))
    assert [result.observed for result in alone.every_result] == [result.observed for result in together.every_result]
    assert [part.cell for part in together.cells] == ["r=2", "r=4", "r=8"]


@pytest.mark.parametrize(("said", "each"), [("", max(1, cores() // 2)), ("run: {threads: 3}\n", 3)])
def test_the_cores_are_divided_unless_the_spec_says_otherwise(said: str, each: int, tmp_path: Path) -> None:
    spec = spec_in(
        tmp_path,
        'process_id: {limit: 1, description: "${matrix.why}"}',
        f"{HEAD}{said}matrix: {{why: [a, b]}}",
    )
    report = run(spec, entry_points=False, jobs=2)
    assert [part.provenance.threads for part in report.cells] == [each, each]


def test_more_jobs_than_cells_divide_nothing_in_vain(tmp_path: Path) -> None:
    report = run(spec_in(tmp_path, "process_id: 1", HEAD), entry_points=False, jobs=5)
    assert report.provenance.threads is None
    assert report.exit_code == 0


def test_a_worker_that_dies_costs_no_other_lane_its_verdict(tmp_path: Path) -> None:
    head = f"{HEAD}matrix: {{die: [false, true], n: [one, two]}}\n"
    spec = spec_in(tmp_path, 'process_id: {limit: 1, with: {die: "${matrix.die}"}, description: "${matrix.n}"}', head)
    report = run(spec, entry_points=False, jobs=2)
    assert verdicts(report) == [Verdict.MET, Verdict.MET, Verdict.CRASH, Verdict.CRASH]
    assert report.exit_code == 3


def test_a_thread_left_in_a_lane_is_a_fault_of_its_last_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "PARTING", 0.5)
    monkeypatch.setattr(worker_process, "GRACE", 0.5)
    spec = spec_in(
        tmp_path,
        'threads_left: {limit: 0, with: {leave: "${matrix.leave}"}, description: "${matrix.n}"}',
        f"{HEAD}matrix: {{leave: [true], n: [one, two]}}",
    )
    report = run(spec, entry_points=False, jobs=2)
    assert verdicts(report) == [Verdict.MET, Verdict.MET]
    assert ["did not end" in "".join(part.faults) for part in report.cells] == [True, True]
    assert report.exit_code == 3


def waiting_in(folder: Path) -> Path:
    check = f'waits: {{limit: 0, with: {{folder: {folder}, me: "${{matrix.me}}", long: "${{matrix.long}}"}}}}'
    return spec_in(folder, check, f"{HEAD}matrix: [{{me: a, long: true}}, {{me: b, long: false}}]\n")


def test_failing_fast_ends_the_other_lanes(tmp_path: Path) -> None:
    report = run(waiting_in(tmp_path), entry_points=False, jobs=2, fail_fast=True)
    assert verdicts(report) == [Verdict.NOT_RUN, Verdict.MISSED]
    assert report.exit_code == 1
    assert_nobody_is_left(tmp_path)


class Interrupter:
    """Sends this process a signal once the first verdict is there."""

    @hookimpl
    def retspec_criterion_finished(self, result: Result) -> None:
        assert result.verdict is Verdict.MISSED
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_ends_all_lanes_and_tells_which_cells_it_ended(tmp_path: Path) -> None:
    report = run(waiting_in(tmp_path), entry_points=False, jobs=2, observers=[Interrupter()])
    assert verdicts(report) == [Verdict.NOT_RUN, Verdict.MISSED]
    assert report.cells[0].interrupted == signal.SIGTERM
    assert report.exit_code == 128 + signal.SIGTERM
    assert_nobody_is_left(tmp_path)


def assert_nobody_is_left(folder: Path) -> None:
    pids = [int(path.read_text()) for path in folder.glob("*.here")]
    assert len(pids) == 2
    assert wait_until(lambda: not any(map(is_running, pids)))
    assert threading.active_count() == 1 or all(t.daemon for t in threading.enumerate()[1:])
