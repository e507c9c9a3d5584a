"""`retspec.run`, as a notebook calls it."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from retspec import __version__
from retspec.errors import NothingSelected, PluginError, SpecError
from retspec.plugin import hookimpl
from retspec.plugins.catalog import gather
from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.running import run
from tests.run.tools import ACTING, result_of, run_acting, spec_in, verdicts

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report, Result, Spec

pytestmark = pytest.mark.usefixtures("unmeasured_programs")


@pytest.mark.parametrize(
    ("checks", "options", "code"),
    [
        ("one: 1", {}, 0),
        ("one: {limit: 0, severity: warn}", {}, 0),
        ("one: {limit: 0, severity: warn}", {"strict": True}, 1),
        ("one: {limit: 2, warn: 0}", {"strict": True}, 1),
        ("one: 0\nexits: 0", {}, 1),
        ("one: 1\nexits: 0", {}, 3),
        ("one: {limit: 1, skip: not today}", {}, 5),
    ],
)
def test_the_report_knows_its_exit_code(tmp_path: Path, checks: str, options: dict[str, Any], code: int) -> None:
    assert run_acting(tmp_path, checks, **options).exit_code == code


def test_a_run_without_measurements_never_imports_torch(tmp_path: Path) -> None:
    report = run_acting(tmp_path, "torch_loaded: false")
    assert verdicts(report) == {"torch_loaded": Verdict.MET}
    assert report.measurements == ()


def test_a_spec_that_skips_everything_starts_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    report = run_acting(tmp_path, "one: {limit: 1, skip: not today}")
    assert (report.results[0].verdict, report.results[0].reason) == (Verdict.SKIPPED, "not today")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"overrides": ["checks.one.limt=3"]}, SpecError),
        ({"select": ["two"]}, NothingSelected),
        ({"plugins": ["nowhere.py"]}, PluginError),
    ],
)
def test_what_cannot_run_is_refused_before_any_file_is_written(
    tmp_path: Path, arguments: dict[str, Any], error: type[Exception]
) -> None:
    spec = spec_in(tmp_path, "one: {limit: 1}")
    with pytest.raises(error):
        run(spec, entry_points=False, reports={"json": tmp_path / "r.json"}, **{"plugins": [ACTING], **arguments})
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yaml"]


def test_overrides_and_selection_reach_the_run(tmp_path: Path) -> None:
    report = run_acting(tmp_path, "one: 0\nexits: 0\nforges: 0", overrides=["checks.one=1"], select=["o*"])
    assert verdicts(report) == {"one": Verdict.MET}
    assert report.exit_code == 0


def test_fail_fast_ends_after_the_first_that_is_not_met(tmp_path: Path) -> None:
    note = tmp_path / "note"
    checks = f"one: {{limit: 0, severity: warn}}\nforges: 0\nleaves_a_note: {{limit: 0, with: {{path: {note}}}}}"
    report = run_acting(tmp_path, checks, fail_fast=True)
    assert verdicts(report) == {"one": Verdict.WARNED, "forges": Verdict.MISSED, "leaves_a_note": Verdict.NOT_RUN}
    assert result_of(report, "leaves_a_note").reason == "the run ended before it was reached"
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("today", "first", "second", "code"),
    [
        (date(2026, 12, 31), Verdict.WAIVED, Verdict.MET, 0),
        (date(2027, 1, 1), Verdict.MISSED, Verdict.NOT_RUN, 1),
    ],
)
def test_a_waiver_is_held_against_the_day_of_the_run(
    tmp_path: Path, today: date, first: Verdict, second: Verdict, code: int
) -> None:
    checks = "one: {limit: 0, waive: {reason: later, owner: ada, until: 2026-12-31}}\ntwo: {check: one, limit: 1}"
    report = run_acting(tmp_path, checks, today=today, fail_fast=True)
    assert verdicts(report) == {"one": first, "two": second}
    assert report.exit_code == code


def test_fail_fast_counts_a_crash_as_not_met(tmp_path: Path) -> None:
    report = run_acting(tmp_path, "exits: 0\none: 1", fail_fast=True)
    assert verdicts(report) == {"exits": Verdict.CRASH, "one": Verdict.NOT_RUN}
    assert report.exit_code == 3


def test_results_stand_in_the_order_of_the_spec_with_provenance(tmp_path: Path) -> None:
    report = run_acting(tmp_path, "one: 1\nquits: {limit: 0, skip: not today}\nforges: 9", "run: {seed: 7, threads: 1}")
    assert list(verdicts(report)) == ["one", "quits", "forges"]
    provenance = report.provenance
    assert (provenance.seed, provenance.threads, provenance.dtype) == (7, 1, "as the model has it")
    assert provenance.versions["retspec"] == __version__
    assert provenance.versions["torch"]
    assert ACTING in provenance.plugins
    assert len(provenance.spec_sha256) == 64
    assert report.seconds > 0


# Observers ----------------------------------------------------------------------------------------


class Diary:
    """Writes down everything that an observer hears."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    @hookimpl
    def retspec_spec_loaded(self, spec: Spec) -> None:
        self.entries.append(("loaded", spec.name))

    @hookimpl
    def retspec_run_started(self, report: Report) -> None:
        self.entries.append(("started", *verdicts(report).values()))

    @hookimpl
    def retspec_progress(self, measurement: str, step: int, total: int) -> None:
        self.entries.append((measurement, step, total))

    @hookimpl
    def retspec_criterion_finished(self, result: Result) -> None:
        self.entries.append((result.criterion.id, result.verdict))

    @hookimpl
    def retspec_run_finished(self, report: Report) -> None:
        self.entries.append(("finished", report.exit_code))


class Grumbler:
    """Fails at every hook."""

    def _fail(self) -> None:
        raise RuntimeError("not again")

    @hookimpl
    def retspec_spec_loaded(self) -> None:
        self._fail()

    @hookimpl
    def retspec_run_started(self) -> None:
        self._fail()

    @hookimpl
    def retspec_criterion_finished(self) -> None:
        self._fail()

    @hookimpl
    def retspec_run_finished(self) -> None:
        self._fail()


SMALL = """\
model: {factory: "tests.run.counted:build", kwargs: {log: /dev/null}}
data: {synthetic: {input_size: [3, 8, 8]}}
train: {steps: 2}
"""


def test_observers_hear_everything_in_order(tmp_path: Path) -> None:
    diary = Diary()
    run_acting(tmp_path, "loss_drop: -100\none: 1", SMALL, observers=[diary])
    assert diary.entries == [
        ("loaded", "engine"),
        ("started", Verdict.NOT_RUN, Verdict.NOT_RUN),
        ("one", Verdict.MET),
        ("model", 0, 0),
        ("batch", 0, 0),
        ("training", 0, 0),
        ("training", 1, 2),
        ("training", 2, 2),
        ("loss_drop", Verdict.MET),
        ("finished", 0),
    ]


def test_an_observer_that_fails_is_a_fault_and_the_others_hear_all_the_same(tmp_path: Path) -> None:
    diary, grumbler = Diary(), Grumbler()
    path = tmp_path / "r.json"
    report = run_acting(tmp_path, "one: 1\nforges: 9", observers=[diary, grumbler], reports={"json": path})
    assert [entry[0] for entry in diary.entries] == ["loaded", "started", "one", "forges", "finished"]
    assert set(verdicts(report).values()) == {Verdict.MET}
    hooks = ["spec_loaded", "run_started", "criterion_finished", "run_finished"]
    assert len(report.faults) == len(hooks)  # each once
    for hook, fault in zip(hooks, report.faults, strict=True):
        assert f"its hook retspec_{hook} raised RuntimeError: not again (test_api.py:" in fault
    assert report.exit_code == 3
    assert json.loads(path.read_text())["faults"] == list(report.faults)


def test_planning_tells_no_observer_that_a_run_began(tmp_path: Path) -> None:
    diary = Diary()
    gathering = partial(gather, observers=[diary])
    prepare(spec_in(tmp_path, "one: 1"), plugins=[ACTING], entry_points=False, gathering=gathering)
    assert diary.entries == []


# Interruptions ------------------------------------------------------------------------------------


class Signaller:
    """Sends this process a signal once the first verdict is there."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    @hookimpl
    def retspec_criterion_finished(self) -> None:
        os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_report_and_gives_the_handlers_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    report = run_acting(tmp_path, "one: 1\nsleeps: 0", observers=[Signaller(number)])
    assert verdicts(report) == {"one": Verdict.MET, "sleeps": Verdict.NOT_RUN}
    assert report.exit_code == 128 + number
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_run_in_a_thread_works_and_touches_no_handler(tmp_path: Path) -> None:
    """Python allows no signal handlers outside the main thread."""
    reports: list[Report] = []
    thread = threading.Thread(target=lambda: reports.append(run_acting(tmp_path, "one: 1")))
    thread.start()
    thread.join(30)
    assert reports[0].exit_code == 0
