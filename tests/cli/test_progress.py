"""What a run shows while it works."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from time import monotonic, sleep
from typing import TYPE_CHECKING, TextIO

import pluggy
import pytest

from retspec.cli.live_line import PAUSE
from retspec.cli.progress import LiveProgress, PlainProgress, verdict_line, watching
from retspec.cli.work import Work, rough_time
from retspec.errors import Mark
from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import PROJECT
from retspec.records import Criterion, Direction, Observed, Report, Result, Verdict
from retspec.text.fitting import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

CRITERION = Criterion(
    id="loss_drop",
    check="loss_drop",
    direction=Direction.AT_LEAST,
    unit="",
    limit=0.5,
    advice="Train.",
    mark=Mark("a.yaml", 1, 1),
)
MET = Result(criterion=CRITERION, verdict=Verdict.MET, observed=Observed(0.98))
PENDING = Result(criterion=CRITERION, verdict=Verdict.NOT_RUN, reason="not reached")
REPORT = Report(name="a", file="a.yaml", started="2026-01-01T00:00:00", results=(PENDING, PENDING))


def replay(observer: object) -> None:
    """Call the hooks as a run of two criteria does."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    manager.register(observer)
    manager.check_pending()
    manager.hook.retspec_run_started(report=REPORT)
    manager.hook.retspec_progress(measurement="model", step=0, total=0, name="a")
    for step in (1, 2, 3):
        manager.hook.retspec_progress(measurement="training", step=step, total=3, name="a")
    manager.hook.retspec_criterion_finished(result=MET, name="a")
    manager.hook.retspec_run_finished(report=REPORT)


def everything(master: int) -> str:
    """Return what was written to a terminal so far."""
    os.set_blocking(master, False)
    shown = b""
    with suppress(BlockingIOError):
        while chunk := os.read(master, 65536):
            shown += chunk
    return shown.decode()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    yield master, slave
    os.close(master)


def test_a_log_gets_a_line_per_measurement_and_per_verdict() -> None:
    stream = StringIO()
    with watching(stream) as observer:
        replay(observer)
    assert stream.getvalue().splitlines() == [
        "preparing model",
        "measuring training",
        "loss_drop: met (0.98)",
    ]


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (MET, "loss_drop: met (0.98)"),
        (Result(criterion=CRITERION, verdict=Verdict.MET, observed=Observed((4, 5))), "loss_drop: met (4, 5)"),
        (Result(criterion=CRITERION, verdict=Verdict.NOT_RUN), "loss_drop: not run"),
        (Result(criterion=CRITERION, verdict=Verdict.SKIPPED, reason="no GPU"), "loss_drop: skipped (no GPU)"),
        (
            Result(criterion=CRITERION, verdict=Verdict.CRASH, reason="died\nof SIGSEGV"),
            "loss_drop: crash (died of SIGSEGV)",
        ),
        (
            Result(criterion=CRITERION, verdict=Verdict.INCONCLUSIVE, observed=Observed(0.9), reason="noise"),
            "loss_drop: inconclusive (noise)",
        ),
    ],
)
def test_a_verdict_is_one_line(result: Result, line: str) -> None:
    assert verdict_line(result) == line


def test_where_several_are_at_work_lines_begin_with_a_name() -> None:
    stream = StringIO()
    progress = PlainProgress(stream)
    for name in "ab":
        progress.retspec_run_started(replace(REPORT, name=name))
    for step in range(3):
        for name in "ab":
            progress.retspec_progress(measurement="training" if step else "model", name=name)
    progress.retspec_criterion_finished(result=MET, name="b")
    assert stream.getvalue().splitlines() == [
        "a: preparing model",
        "b: preparing model",
        "a: measuring training",
        "b: measuring training",
        "b: loss_drop: met (0.98)",
    ]


def test_a_log_of_a_matrix_has_a_line_for_each_quarter_and_each_miss() -> None:
    stream, missed = StringIO(), replace(MET, verdict=Verdict.MISSED, observed=Observed(0.1))
    progress = PlainProgress(stream)
    parts = tuple(replace(REPORT, name=f"a[r={rank}]", cell=f"r={rank}") for rank in range(16))
    progress.retspec_run_started(report=Report(name="a", file="a.yaml", started="", results=(), cells=parts))
    for part in parts:
        progress.retspec_progress(measurement="model", name=part.name)
        for result in (missed if part.cell == "r=5" else MET, MET):
            progress.retspec_criterion_finished(result=result, name=part.name)
    assert stream.getvalue().splitlines() == [
        "a: 4 of 16 cells, 8 met",
        "a[r=5]: loss_drop: missed (0.1)",
        "a: 8 of 16 cells, 15 met, 1 missed",
        "a: 12 of 16 cells, 23 met, 1 missed",
        "a: 16 of 16 cells, 31 met, 1 missed",
    ]


def test_quiet_logs_nothing() -> None:
    stream = StringIO()
    with watching(stream, quiet=True) as observer:
        replay(observer)
    assert stream.getvalue() == ""


def shown_until(master: int, text: str, times: int = 1) -> str:
    """Return what is written to a terminal until a text has come so many times; fails if it does not come."""
    shown, late = everything(master), monotonic() + 20
    while shown.count(text) < times:
        assert monotonic() < late, shown
        sleep(0.02)
        shown += everything(master)
    return shown


def test_a_terminal_gets_one_line_that_is_wiped_at_the_end(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    with os.fdopen(slave, "w") as stream:
        with watching(stream) as observer:
            assert isinstance(observer, LiveProgress)
            observer.retspec_run_started(report=REPORT)
            observer.retspec_progress(measurement="training", step=2, total=3, name="a")
            shown = shown_until(master, "measuring training, step 2 of 3 | 0 of 2 criteria | 00:0")
            replay(observer)
        shown += everything(master)
    assert "\n" not in shown
    assert shown.rsplit("\r", 1)[-1] == ""


def test_the_line_moves_while_nothing_arrives_and_not_too_often(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    with os.fdopen(slave, "w") as stream:
        with watching(stream):
            begun = monotonic()
            shown = shown_until(master, "starting | 00:01")
            took = monotonic() - begun
        frames = [line.split()[0] for line in shown.split("\r")[1:]]
    assert 2 <= len(frames) <= 2 + took / PAUSE
    assert all(one != next_one for one, next_one in pairwise(frames))


@pytest.mark.parametrize(
    ("measurement", "text"),
    [("model", "building the model"), ("watched_run", "watching your training"), ("lr_range", "measuring lr_range")],
)
def test_the_line_says_what_is_waited_for(terminal: tuple[int, int], measurement: str, text: str) -> None:
    with os.fdopen(terminal[1], "w") as stream, watching(stream) as observer:
        assert isinstance(observer, LiveProgress)
        assert next(iter(observer.variants(0))) == "starting | 00:00"
        observer.retspec_importing(library="torch", name="a")
        assert next(iter(observer.variants(3))) == "importing torch | 00:03"
        observer.retspec_run_started(report=REPORT)
        observer.retspec_progress(measurement=measurement, step=0, total=0, name="a")
        assert next(iter(observer.variants(3700))) == f"{text} | 0 of 2 criteria | 1:01:40"
        for _ in REPORT.results:
            observer.retspec_criterion_finished()
        assert next(iter(observer.variants(60))) == "ending | 2 of 2 criteria | 01:00"


@pytest.mark.parametrize("columns", [80, 60, 40, 20, 1])
def test_the_line_fits_the_screen(terminal: tuple[int, int], columns: int) -> None:
    master, slave = terminal
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(slave, "w") as stream:
        with watching(stream) as observer:
            for name in ("網膜[r=8]", "網膜[r=16]"):
                observer.retspec_run_started(report=replace(REPORT, name=name))
            observer.retspec_progress(measurement="training_on_blank_images", step=12, total=20, name="網膜[r=8]")
            shown = shown_until(master, "\r", times=4)
        lines = (shown + everything(master)).replace("\x1b[K", "").split("\r")
    assert max(cells(line) for line in lines) <= max(columns - 1, 2)


def test_a_terminal_that_knows_few_characters_gets_a_plain_spinner(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    with os.fdopen(slave, "w", encoding="ascii", errors="backslashreplace") as stream, watching(stream):
        shown = shown_until(master, "starting")
    assert shown.startswith("\r| starting")


def test_the_time_that_is_left_follows_the_pace_of_the_steps() -> None:
    work = Work("measuring training")
    assert (work.steps(), work.left(100.0)) == ("", "")
    for step in range(1, 5):
        work.take(step, 20, now=2.0 * step)
    assert work.steps() == ", step 4 of 20"
    assert work.left(now=6.9) == ""  # too early to say
    assert work.left(now=9.0) == ", about 33 s left"
    work.take(1, 3, now=10.0)
    assert work.left(now=20.0) == ""  # another round
    assert [rough_time(seconds) for seconds in (0.2, 40, 200, 4800)] == ["1 s", "40 s", "3 min", "1 h 20 min"]


def test_a_terminal_in_ci_gets_plain_lines(terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with os.fdopen(terminal[1], "w") as stream, watching(stream) as observer:
        assert isinstance(observer, PlainProgress)


def test_a_terminal_without_a_size_gets_plain_lines(terminal: tuple[int, int]) -> None:
    fcntl.ioctl(terminal[1], termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    with os.fdopen(terminal[1], "w") as stream, watching(stream) as observer:
        assert isinstance(observer, PlainProgress)


def test_an_error_leaves_no_half_written_line(terminal: tuple[int, int]) -> None:
    def fail(stream: TextIO) -> None:
        with watching(stream) as observer:
            replay(observer)
            raise ZeroDivisionError

    master, slave = terminal
    with os.fdopen(slave, "w") as stream:
        with pytest.raises(ZeroDivisionError):
            fail(stream)
        assert everything(master).endswith("\r")
