"""Time that runs out: for one criterion, and for the run."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from retspec.engine.supervisor import worker_process
from retspec.records import Verdict
from tests.processes import is_running
from tests.run.acting import AGES
from tests.run.tools import result_of, run_acting, verdicts

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

pytestmark = pytest.mark.usefixtures("unmeasured_programs")


def test_a_criterion_that_takes_too_long_is_ended_and_the_rest_goes_on(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    report = run_acting(tmp_path, f"sleeps: {{limit: 0, timeout: 2s, with: {{path: {pid}}}}}\none: 1")
    assert verdicts(report) == {"sleeps": Verdict.TIMEOUT, "one": Verdict.MET}
    assert result_of(report, "sleeps").reason.startswith("the timeout of 'sleeps' was over after")
    assert not is_running(int(pid.read_text()))
    assert report.exit_code == 3


def test_the_timeout_of_the_run_leaves_every_other_criterion_without_a_verdict(tmp_path: Path) -> None:
    started = time.monotonic()
    report = run_acting(tmp_path, "one: 1\nsleeps: 0\nforges: 9", "run: {timeout: 10s}")
    assert verdicts(report) == {"one": Verdict.MET, "sleeps": Verdict.TIMEOUT, "forges": Verdict.TIMEOUT}
    assert result_of(report, "sleeps").reason.startswith("the run's timeout was over after")
    assert result_of(report, "forges").reason == "the run's timeout is over"
    assert time.monotonic() - started < AGES / 2


def test_a_run_too_short_to_start_has_no_verdict_and_tells_a_true_time(tmp_path: Path) -> None:
    started = time.monotonic()
    report = run_acting(tmp_path, "one: 1", "run: {timeout: 1ms}")
    assert verdicts(report) == {"one": Verdict.TIMEOUT}
    waited = re.fullmatch(r"the run's timeout was over after ([\d.e-]+) s", result_of(report, "one").reason)
    assert waited is not None
    assert float(waited[1]) < 1.01 * (time.monotonic() - started)


def test_a_worker_that_refuses_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop in C that holds the interpreter's lock hears nothing but SIGKILL."""
    monkeypatch.setattr(worker_process, "GRACE", 0.5)
    pid = tmp_path / "pid"
    report = run_acting(tmp_path, f"stubborn: {{limit: 0, timeout: 2s, with: {{path: {pid}}}}}\none: 1")
    assert verdicts(report) == {"stubborn": Verdict.TIMEOUT, "one": Verdict.MET}
    assert not is_running(int(pid.read_text()))


def test_those_that_wait_for_the_same_measurement_share_the_timeout_and_are_told_whose(tmp_path: Path) -> None:
    checks = "hurried: {check: reads_sluggish, limit: 0, timeout: 2s}\npatient: {check: reads_sluggish, limit: 0}"
    report = run_acting(tmp_path, checks)
    assert verdicts(report) == {"hurried": Verdict.TIMEOUT, "patient": Verdict.TIMEOUT}
    reason = result_of(report, "patient").reason
    assert reason.startswith("the timeout of 'hurried' was over after")
    assert reason.endswith("s while measuring 'sluggish'")
