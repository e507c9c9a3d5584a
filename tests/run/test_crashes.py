"""A worker that dies costs the criteria that waited for it their verdict, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.engine.supervisor import worker_process
from retspec.records import Verdict
from tests.processes import is_running
from tests.run.tools import result_of, run_acting, verdicts, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report

CRASHES = """\
segfaults: 0
exits: 0
one: 1
quits: 0
torch_loaded: false
"""


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return run_acting(tmp_path_factory.mktemp("crashed"), CRASHES)


def test_the_others_get_their_verdicts_from_a_fresh_worker(crashed: Report) -> None:
    assert verdicts(crashed) == {
        "segfaults": Verdict.CRASH,
        "exits": Verdict.CRASH,
        "one": Verdict.MET,
        "quits": Verdict.CRASH,
        "torch_loaded": Verdict.MET,
    }
    assert (crashed.exit_code, crashed.faults) == (3, ())


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("segfaults", "the worker was killed by SIGSEGV"),
        ("exits", "the worker exited with status 0 before it was done"),
        ("quits", "the worker exited with status 1 before it was done"),
    ],
)
def test_the_cause_is_told_in_words(crashed: Report, name: str, cause: str) -> None:
    assert result_of(crashed, name).reason == cause
    assert result_of(crashed, name).observed is None


def test_the_last_words_of_the_worker_are_kept(crashed: Report) -> None:
    assert "last words of the worker" in result_of(crashed, "segfaults").trace
    assert "no more" in result_of(crashed, "quits").trace


def test_a_worker_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    checks = "segfaults: 0\naborts: 0\nexits: 0\nkilled: 0\none: 1"
    report = run_acting(tmp_path, checks)
    assert set(verdicts(report).values()) == {Verdict.CRASH}
    assert result_of(report, "one").reason.startswith(
        "the worker died too often, 4 times; the last time the worker was "
    )
    assert result_of(report, "aborts").reason == "the worker was killed by SIGABRT"
    assert result_of(report, "killed").reason == "the worker was killed by SIGKILL, probably because memory ran out"


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert worker_process.describe_status(-61) == "was killed by signal 61"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Three checks wait for one measurement that aborts, one for a measurement that raises."""
    folder = tmp_path_factory.mktemp("shared")
    checks = f"""\
reads_cursed: 0
one: 1
again: {{check: reads_cursed, limit: 0}}
reads_fragile: {{limit: 0, with: {{path: {folder}/calls}}}}
fragile_too: {{check: reads_fragile, limit: 0, with: {{path: {folder}/calls}}}}
"""
    report = run_acting(folder, checks)
    assert (folder / "calls").read_text() == "called\n"
    return report


def test_all_that_waited_for_the_measurement_at_work_have_no_verdict(shared: Report) -> None:
    cause = "the worker was killed by SIGABRT while measuring 'cursed'"
    for name in ("reads_cursed", "again"):
        assert (result_of(shared, name).verdict, result_of(shared, name).reason) == (Verdict.CRASH, cause)
    assert verdicts(shared)["one"] is Verdict.MET


def test_a_measurement_that_raises_is_tried_once_and_told_to_all_its_readers(shared: Report) -> None:
    for name in ("reads_fragile", "fragile_too"):
        result = result_of(shared, name)
        assert result.verdict is Verdict.ERROR
        assert result.reason.startswith("raised ValueError: it broke (acting.py:")
        assert "Traceback" in result.trace


def test_a_crash_while_cleaning_up_is_a_fault_and_never_green(tmp_path: Path) -> None:
    """The criterion has its verdict by then, and keeps it."""
    report = run_acting(tmp_path, "reads_explosive: 0")
    assert verdicts(report) == {"reads_explosive": Verdict.MET}
    assert report.faults == ("the worker was killed by SIGABRT, between two criteria or while it cleaned up",)
    assert report.exit_code == 3


def test_a_measurement_that_cannot_clean_up_is_a_fault(tmp_path: Path) -> None:
    report = run_acting(tmp_path, "reads_untidy: 0")
    assert verdicts(report)["reads_untidy"] is Verdict.MET
    (fault,) = report.faults
    assert fault.startswith("a measurement failed to clean up: OSError: the folder is gone (acting.py:")
    assert report.exit_code == 3


def test_a_factory_that_crashes_or_lacks_memory_costs_only_what_needs_the_model(tmp_path: Path) -> None:
    head = 'model: {factory: "tests.run.counted:segfaults"}\ndata: {synthetic: {input_size: [3, 8, 8]}}'
    report = run_acting(tmp_path, "loss_drop: 0.5\ninitial_loss_rtol: 1\none: 1", head)
    assert verdicts(report) == {
        "loss_drop": Verdict.CRASH,
        "initial_loss_rtol": Verdict.CRASH,
        "one": Verdict.MET,
    }
    assert result_of(report, "loss_drop").reason == "the worker was killed by SIGSEGV while measuring 'model'"


def test_out_of_memory_is_known_through_what_wraps_it(tmp_path: Path) -> None:
    head = 'model: {factory: "tests.run.counted:out_of_memory"}\ndata: {synthetic: {input_size: [3, 8, 8]}}'
    result = result_of(run_acting(tmp_path, "loss_drop: 0.5", head), "loss_drop")
    assert result.verdict is Verdict.OUT_OF_MEMORY
    assert "OutOfMemoryError: CUDA out of memory: tried to allocate 80 GiB" in result.reason


# What tries to be taken for something else, or to outlive the run ----------------------------------


@pytest.fixture(scope="module")
def leftovers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, int]:
    folder = tmp_path_factory.mktemp("leftovers")
    report = run_acting(folder, f"forges: 0\nforks: 0\nspawns: {{limit: 0, with: {{path: {folder}/child}}}}\none: 1")
    return report, int((folder / "child").read_text())


def test_what_a_check_prints_or_a_forked_copy_says_is_no_record(leftovers: tuple[Report, int]) -> None:
    report, _ = leftovers
    assert verdicts(report) == {
        "forges": Verdict.MISSED,
        "forks": Verdict.MISSED,
        "spawns": Verdict.MET,
        "one": Verdict.MET,
    }
    assert [result.observed.value for result in report.results if result.observed] == [9, 9, 0, 1]


def test_a_child_of_the_worker_ends_with_the_run(leftovers: tuple[Report, int]) -> None:
    assert wait_until(lambda: not is_running(leftovers[1]))


def test_a_thread_left_running_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "PARTING", 0.5)
    report = run_acting(tmp_path, "threads: 0\none: 1")
    assert set(verdicts(report).values()) == {Verdict.MET}
    assert report.faults == (
        "the worker measured everything, but it did not end: a thread or a child of it was left running",
    )
    assert report.exit_code == 3


def test_a_worker_ends_when_all_that_must_be_done_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "PARTING", 5.0)
    report = run_acting(tmp_path, f"slow_to_go: {{limit: 0, with: {{path: {tmp_path}/registered}}}}")
    assert report.faults == ()
    assert (tmp_path / "registered").exists()


def test_a_worker_finds_this_retspec_and_no_module_stands_in_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "colorsys.py").write_text("nothing = None\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    report = run_acting(tmp_path, "module_in_working_directory: 0\nbare_modules: 0")
    assert set(verdicts(report).values()) == {Verdict.MET}
