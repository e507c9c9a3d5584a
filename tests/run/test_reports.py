"""The files on disk are complete at every moment, and red until a verdict says otherwise."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from retspec.errors import ReportError, UsageError
from retspec.plugin import Reporter, hookimpl
from retspec.records import Verdict
from retspec.report.live import write_whole
from tests.processes import is_running
from tests.run.tools import run_acting, spec_in, start_program, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report

INTERRUPTIBLE = "one: 1\nsleeps: {limit: 0, with: {path: PID}}\nforges: 9\nquits: {limit: 0, skip: not today}"


def verdicts_in(path: Path) -> dict[str, str]:
    return {result["criterion"]["id"]: result["verdict"] for result in json.loads(path.read_text())["results"]}


def cases_in(path: Path) -> dict[str, list[str]]:
    """What each testcase of a JUnit file holds beside its output."""
    cases = ET.parse(path).iter("testcase")  # noqa: S314 - our own file
    return {
        str(case.get("name")): [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        for case in cases
    }


class Looker:
    """Looks at the files when the run starts, before anything is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[str, Any] = {}

    @hookimpl
    def retspec_run_started(self) -> None:
        self.seen["json"] = verdicts_in(self.folder / "deep" / "results.json")
        self.seen["junit"] = cases_in(self.folder / "deep" / "junit.xml")


def test_every_criterion_stands_in_the_files_as_not_run_before_anything_is_measured(tmp_path: Path) -> None:
    looker = Looker(tmp_path)
    reports = {"json": tmp_path / "deep" / "results.json", "junit": tmp_path / "deep" / "junit.xml"}
    report = run_acting(
        tmp_path, "one: 1\nforges: 9\nquits: {limit: 0, skip: not today}", reports=reports, observers=[looker]
    )
    assert looker.seen["json"] == {"one": "not run", "forges": "not run", "quits": "skipped"}
    assert looker.seen["junit"] == {"one": ["error"], "forges": ["error"], "quits": ["skipped"]}
    assert (report.exit_code, report.faults) == (0, ())
    assert verdicts_in(reports["json"]) == {"one": "met", "forges": "met", "quits": "skipped"}
    assert cases_in(reports["junit"]) == {"one": [], "forges": [], "quits": ["skipped"]}


# Ended from outside -------------------------------------------------------------------------------


def end_program(folder: Path, number: signal.Signals) -> tuple[int, int]:
    """Start a run in a process of its own, end it while a check sleeps; return exit status and the worker's pid.

    The shell ignores SIGINT, as shells do for what they start in the background.
    """
    pid = folder / "pid"
    spec = spec_in(folder, INTERRUPTIBLE.replace("PID", str(pid)))
    program = start_program(spec, "--json", folder / "r.json", "--junit-xml", folder / "j.xml", prelude="trap '' INT")
    try:
        assert wait_until(pid.exists)
        program.send_signal(number)
        _, errors = program.communicate(timeout=120)
    finally:
        program.kill()
    assert "Traceback" not in errors
    return program.returncode, int(pid.read_text())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_complete_red_files_and_no_process(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    returned, worker = end_program(tmp_path, number)
    assert returned == code
    assert verdicts_in(tmp_path / "r.json") == {
        "one": "met",
        "sleeps": "not run",
        "forges": "not run",
        "quits": "skipped",
    }
    written = json.loads((tmp_path / "r.json").read_text())
    assert (written["interrupted"], written["exit_code"]) == (number, code)
    cases = cases_in(tmp_path / "j.xml")
    assert (cases["one"], cases["sleeps"], cases["forges"], cases["quits"]) == ([], ["error"], ["error"], ["skipped"])
    assert not is_running(worker)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"spec.yaml", "pid", "r.json", "j.xml"}


def test_a_killed_run_leaves_complete_red_files_and_its_worker_ends(tmp_path: Path) -> None:
    returned, worker = end_program(tmp_path, signal.SIGKILL)
    assert returned == -signal.SIGKILL
    verdicts = verdicts_in(tmp_path / "r.json")
    assert verdicts.keys() == {"one", "sleeps", "forges", "quits"}
    assert verdicts["sleeps"] == verdicts["forges"] == "not run"
    cases = cases_in(tmp_path / "j.xml")
    assert (cases["sleeps"], cases["forges"], cases["quits"]) == (["error"], ["error"], ["skipped"])
    assert wait_until(lambda: not is_running(worker))


# Files that cannot be written ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "says"), [("folder", "it is a directory"), ("file/r.json", r"Not a directory|File exists")]
)
def test_a_file_that_cannot_be_written_ends_the_run_before_anything_is_measured(
    tmp_path: Path, place: str, says: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match=rf"cannot write the report {tmp_path}/{place}: .*({says})"):
        run_acting(tmp_path, note(tmp_path), reports={"json": tmp_path / place})
    assert not (tmp_path / "note").exists()


def test_a_file_that_can_no_longer_be_written_ends_the_run_with_an_error(tmp_path: Path) -> None:
    """A result must never be lost in silence."""

    class Saboteur:
        @hookimpl
        def retspec_run_started(self) -> None:
            (tmp_path / "r.json").unlink()
            (tmp_path / "r.json").mkdir()

    with pytest.raises(ReportError, match="it is a directory"):
        run_acting(tmp_path, "one: 1", reports={"json": tmp_path / "r.json"}, observers=[Saboteur()])


def test_an_unknown_format_ends_the_run_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no report format 'jnit'; did you mean 'junit'\?; there are github, html, json, "
    ):
        run_acting(tmp_path, note(tmp_path), reports={"jnit": tmp_path / "x"})
    assert not (tmp_path / "note").exists()


def test_a_format_that_raises_is_named(tmp_path: Path) -> None:
    class Offer:
        @hookimpl
        def retspec_reporters(self) -> list[Reporter]:
            return [Reporter(name="broken", render=_render_nothing)]

    with pytest.raises(ReportError, match=r"the format 'broken' raised ZeroDivisionError: .*\(test_reports\.py:"):
        run_acting(tmp_path, note(tmp_path), reports={"broken": tmp_path / "x"}, observers=[Offer()])
    assert not (tmp_path / "note").exists()


def _render_nothing(report: Report) -> str:
    return str(1 / report.count(Verdict.MET))


def note(folder: Path) -> str:
    return f"leaves_a_note: {{limit: 0, with: {{path: {folder}/note}}}}"


# Replacing ----------------------------------------------------------------------------------------


def test_a_reader_of_the_old_file_keeps_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    write_whole(path, "old" * 9999)
    with path.open() as reader:
        write_whole(path, "new")
        assert reader.read() == "old" * 9999
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["r.txt"]  # noqa: PTH208 - names are enough


def test_an_interruption_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    """What is no text fails in the middle of writing, as a signal does."""
    path = tmp_path / "r.txt"
    write_whole(path, "old")
    with pytest.raises(TypeError):
        write_whole(path, 3)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.txt"]  # noqa: PTH208 - names are enough


def test_a_report_may_be_read_by_others_and_holds_any_text(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    write_whole(path, "naïve \udcff")
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.read_text(encoding="utf-8") == "naïve \\udcff"
