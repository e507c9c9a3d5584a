"""What a run shows while it works: one live line on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from retspec.characters import one_line
from retspec.cli.colour import is_terminal
from retspec.cli.live_line import LiveLine
from retspec.cli.quarters import Quarters
from retspec.cli.work import Work, clock_time
from retspec.plugins.hooks import hookimpl
from retspec.plugins.kinds import PARTS
from retspec.records import Verdict
from retspec.text.wording import ends, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report, Result

LIVE = {
    "model": "building the model",
    "skeleton": "reading the architecture",
    "batch": "making a batch",
    "dataset": "reading the data set",
    "feed": "starting the loader",
    "watched_run": "watching your training",
    "ranked_run": "watching your training on several ranks",
}
"""What the live line says of the parts of the subject that take long."""


class PlainProgress:
    """Prints a line per started measurement and per verdict, for a log.

    With several specs, each line begins with its name. In a matrix, only every quarter of the cells has a line, and
    each verdict that is neither met nor accepted.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._names = _Names()
        self._current: dict[str, str] = {}
        self._matrices: dict[str, Quarters] = {}
        """By the name of each cell."""

    @hookimpl
    def retspec_run_started(self, report: Report) -> None:
        """Keep the names of the reports."""
        self._names.learn(report)
        if report.cells:
            quarters = Quarters(report)
            self._matrices |= {part.name: quarters for part in report.parts}

    @hookimpl
    def retspec_progress(self, measurement: str, name: str) -> None:
        """Print each measurement once, when it begins."""
        if name not in self._matrices and self._current.get(name) != measurement:
            self._current[name] = measurement
            self._say(f"{self._names.prefix(name)}{activity(measurement)}")

    @hookimpl
    def retspec_waiting(self, reason: str) -> None:
        """Print what other machines do."""
        self._say(one_line(reason))

    @hookimpl
    def retspec_criterion_finished(self, result: Result, name: str) -> None:
        """Print the verdict."""
        matrix = self._matrices.get(name)
        if matrix is None or not result.verdict.is_accepted:
            self._say(f"{self._names.prefix(name)}{verdict_line(result)}")
        if matrix is not None and (line := matrix.line_after(result, name)):
            self._say(line)

    def close(self) -> None:
        """Do nothing: no line is unfinished."""

    def _say(self, line: str) -> None:
        with suppress(OSError):  # a full disk or a closed pipe loses the line, never the run
            print(line, file=self._stream, flush=True)


class Silence:
    """Shows nothing."""

    def close(self) -> None:
        """Do nothing."""


class LiveProgress:
    """Shows one line, drawn in place: what is waited for, step k of n, time left, criteria decided, time elapsed."""

    def __init__(self, stream: TextIO) -> None:
        self._names = _Names()
        self._works: dict[str, Work] = {}
        self._shown = Work("starting")
        self._decided, self._total = 0, 0
        self._line = LiveLine(stream, self.variants)

    @hookimpl
    def retspec_run_started(self, report: Report) -> None:
        """Set the number of criteria, over all specs."""
        self._names.learn(report)
        self._total += sum(result.verdict is not Verdict.SKIPPED for result in report.every_result)

    @hookimpl
    def retspec_importing(self, library: str, name: str) -> None:
        """Show the library that is imported."""
        self._show(name, f"importing {one_line(library)}")

    @hookimpl
    def retspec_progress(self, measurement: str, step: int, total: int, name: str) -> None:
        """Show the step that begins."""
        self._show(name, LIVE.get(measurement) or activity(measurement)).take(step, total)

    @hookimpl
    def retspec_waiting(self, reason: str, name: str) -> None:
        """Show what other machines do."""
        self._show(name, one_line(reason))

    @hookimpl
    def retspec_criterion_finished(self) -> None:
        """Count the verdict."""
        self._decided += 1
        if self._decided == self._total:
            self._shown = Work("ending")

    def variants(self, elapsed: float) -> Iterator[str]:
        """Yield the text of the line, the widest first; a narrow screen does without names, then without counts."""
        work, clock = self._shown, clock_time(elapsed)
        counts = f" | {self._decided} of {self._total} criteria" if self._total else ""
        few = f" | {self._decided}/{self._total}" if self._total else ""
        steps, left = work.steps(), work.left()
        for name in dict.fromkeys((work.prefix, "")):
            yield f"{name}{work.activity}{steps}{left}{counts} | {clock}"
            yield f"{name}{work.activity}{steps}{counts} | {clock}"
            yield f"{name}{work.activity}{steps}{few} | {clock}"
        yield f"{work.activity}{few} | {clock}"
        yield f"{work.activity} | {clock}"
        yield f"{clock} {work.activity}"

    def close(self) -> None:
        """Clear the line."""
        self._line.close()

    def _show(self, name: str, activity: str) -> Work:
        """Turn to what is at work for a report; each has its own steps, because several may be at work."""
        if name not in self._works or self._works[name].activity != activity:
            self._works[name] = Work(activity, self._names.prefix(name))
        self._shown = self._works[name]
        return self._shown


class _Names:
    """The names of the reports of a run, needed only where there are several."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, report: Report) -> None:
        self._known.update(part.name for part in report.parts)

    def prefix(self, name: str) -> str:
        return f"{one_line(name)}: " if len(self._known) > 1 else ""


def activity(measurement: str) -> str:
    """Return the current activity: parts of the subject, such as the model, are prepared, not measured."""
    return f"{'preparing' if measurement in PARTS else 'measuring'} {one_line(measurement)}"


def verdict_line(result: Result) -> str:
    """Return a verdict in one line: `loss_drop: met (0.98)`; without a verdict, the reason."""
    if result.verdict.is_decided and result.observed is not None:
        remark = readable(result.observed.value, beside=result.criterion.limit) + ends(result.observed)
    else:
        remark = one_line(result.reason)
    shown = remark if remark.startswith("(") else f"({remark})"
    return f"{result.criterion.id}: {result.verdict} {shown if remark else ''}".rstrip()


@contextmanager
def watching(
    stream: TextIO, *, by_lines: bool = False, quiet: bool = False, in_notebook: bool = False
) -> Iterator[LiveProgress | PlainProgress | Silence]:
    """Yield the observer for a stream, and leave no half-written line behind.

    by_lines: never overwrite a line, because others write to the stream, too.
    quiet: print no lines; a line that is wiped in the end stays.
    in_notebook: the stream is no terminal, and a line of it can be overwritten all the same.
    """
    observer: LiveProgress | PlainProgress | Silence
    if in_notebook or (_can_overwrite(stream) and not by_lines):
        observer = LiveProgress(stream)
    else:
        observer = Silence() if quiet else PlainProgress(stream)
    try:
        yield observer
    finally:
        observer.close()


def _can_overwrite(stream: TextIO) -> bool:
    """Return whether a line can be overwritten: on a terminal that reports its size, which a container's may not."""
    return is_terminal(stream) and not os.environ.get("CI") and os.get_terminal_size(stream.fileno()).lines > 0
