"""What a run shows while it works."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, TextIO

import pluggy
import pytest

from retspec.cli.progress import LiveProgress, PlainProgress, verdict_line, watching
from retspec.errors import Mark
from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import PROJECT
from retspec.records import Criterion, Direction, Observed, Report, Result, Verdict

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


def test_a_terminal_gets_one_line_that_is_wiped_at_the_end(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    with os.fdopen(slave, "w") as stream:
        with watching(stream) as observer:
            assert isinstance(observer, LiveProgress)
            replay(observer)
        shown = everything(master)
    assert "measuring training, step 2 of 3 | 0 of 2 criteria" in shown
    assert "\n" not in shown
    assert shown.rsplit("\r", 1)[-1] == ""


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
