"""Several specs in one run: they share what they can, and each has its own report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from retspec.engine.supervisor import worker_process
from retspec.errors import NothingSelected, SpecError
from retspec.records import Verdict
from retspec.results.results_file import read_report
from retspec.running import run, run_all
from tests.here import run_here
from tests.processes import is_running
from tests.run.tools import spec_in, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

HEAD = 'plugins: ["tests.run.meeting", "tests.run.process"]\n'
MODEL = 'model: {factory: "tests.run.counted:build", kwargs: {log: LOG}}\n'
DATA = "data: {synthetic: {input_size: [3, 8, 8]}}\ntrain: {steps: 2}\nrun: {device: cpu}\n"


def written(folder: Path, name: str, checks: str, head: str) -> Path:
    return spec_in(folder, checks, f"{HEAD}{head}").rename(folder / f"{name}.yaml")


def run_several(specs: list[Path], **options: Any) -> list[Report]:
    return run_all(specs, reports=[{} for _ in specs], entry_points=False, **options)


def observed(report: Report, index: int = 0) -> Any:
    observation = report.results[index].observed
    return observation and observation.value


@pytest.mark.usefixtures("warm_programs")
def test_specs_with_the_same_model_share_it_and_their_worker(tmp_path: Path) -> None:
    first, second = (MODEL.replace("LOG", str(tmp_path / f"{name}.txt")) + DATA for name in "ab")
    checks = "process_id: 1\nnonfinite_steps: 0"
    specs = [written(tmp_path, name, checks, head) for name, head in zip("xyz", (first, second, first), strict=True)]
    reports = run_several(specs)
    built = [Counter((tmp_path / f"{name}.txt").read_text().splitlines())["built on cpu"] for name in "ab"]
    assert built == [1, 1]
    assert [report.file for report in reports] == [str(spec) for spec in specs]
    assert len({observed(report) for report in reports}) == 1
    assert [report.exit_code for report in reports] == [0, 0, 0]


@pytest.mark.usefixtures("warm_programs")
def test_each_has_its_own_files_and_observes_what_it_does_alone(tmp_path: Path) -> None:
    head = MODEL.replace("LOG", str(tmp_path / "log.txt")) + DATA
    specs = [written(tmp_path, "a", "loss_drop: -1", head), written(tmp_path, "b", "max_final_loss: 0", head)]
    files = [{"json": tmp_path / "a.json"}, {"json": tmp_path / "b.json"}]
    reports = run_all(specs, reports=files, entry_points=False)
    assert [read_report(each["json"]).exit_code for each in files] == [0, 1]
    alone = [result.observed for spec in specs for result in run_here(spec).values()]
    assert [observed(report) for report in reports] == [each and each.value for each in alone]


def test_problems_of_all_specs_are_told_at_once_and_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    good = written(tmp_path, "good", f"others_met: {{limit: 0, with: {{folder: {tmp_path}, me: mark, others: 0}}}}", "")
    bad = [written(tmp_path, name, "process_idd: 1", "") for name in ("bad", "worse")]
    with pytest.raises(SpecError) as raised:
        run_several([good, *bad])
    assert [problem.mark.file for problem in raised.value.problems] == [str(path) for path in bad]
    assert not mark.exists()


def test_a_pattern_that_finds_nothing_in_one_of_them_names_it(tmp_path: Path) -> None:
    one, other = (
        written(tmp_path, "a", "process_id: 1", ""),
        written(tmp_path, "b", "threads_left: {limit: 0, with: {leave: false}}", ""),
    )
    with pytest.raises(NothingSelected, match=r"b\.yaml: .*no criterion matches 'process_id'"):
        run_several([one, other], select=["process_id"])


def test_failing_fast_leaves_later_specs_not_run(tmp_path: Path) -> None:
    specs = [written(tmp_path, "a", "process_id: 1_000_000_000", ""), written(tmp_path, "b", "process_id: 1", "")]
    reports = run_several(specs, fail_fast=True)
    assert [report.results[0].verdict for report in reports] == [Verdict.MISSED, Verdict.NOT_RUN]
    assert [report.exit_code for report in reports] == [1, 3]


# What is imported, and when -------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started as workers."""
    pids: list[int] = []
    start = worker_process.WorkerProcess._start

    def counted(self: worker_process.WorkerProcess) -> None:
        start(self)
        pids.append(self._process.pid)

    monkeypatch.setattr(worker_process.WorkerProcess, "_start", counted)
    return pids


@pytest.mark.parametrize(
    ("model", "imported"),
    [
        (MODEL, "torch"),
        (MODEL.replace("}}", "}, lora: {target_modules: [body]}}"), "torch peft"),
        ("model: {timm: vit_tiny_patch16_224, kwargs: {num_classes: 3}}\n", "torch timm"),
    ],
)
def test_only_what_the_model_needs_is_imported(model: str, imported: str, tmp_path: Path, started: list[int]) -> None:
    head = HEAD + model.replace("LOG", str(tmp_path / "log.txt"))
    report = run(
        spec_in(tmp_path, f"libraries: {imported}\nmax_trainable_params: 10_000_000", head), entry_points=False
    )
    assert observed(report) == imported
    assert len(started) == 1


def test_a_worker_that_was_started_in_vain_is_gone(tmp_path: Path, started: list[int]) -> None:
    head = HEAD + MODEL.replace("LOG", str(tmp_path / "log.txt"))
    with pytest.raises(SpecError):
        run(spec_in(tmp_path, "process_idd: 1", head), entry_points=False)
    assert len(started) == 1
    assert wait_until(lambda: not is_running(started[0]))
