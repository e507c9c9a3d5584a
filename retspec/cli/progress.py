"""What a run shows while it works: one live line on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

from retspec.characters import one_line
from retspec.cli.colour import is_terminal
from retspec.plugins.hooks import hookimpl
from retspec.plugins.kinds import PARTS
from retspec.text.wording import ends, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report, Result


class PlainProgress:
    """Prints a line per started measurement and per verdict, for a log.

    With several specs or cells, each line begins with its name.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._names = _Names()
        self._current: dict[str, str] = {}

    @hookimpl
    def retspec_run_started(self, report: Report) -> None:
        """Keep the names of the reports."""
        self._names.learn(report)

    @hookimpl
    def retspec_progress(self, measurement: str, name: str) -> None:
        """Print each measurement once, when it begins."""
        if self._current.get(name) != measurement:
            self._current[name] = measurement
            self._say(f"{self._names.prefix(name)}{activity(measurement)}")

    @hookimpl
    def retspec_criterion_finished(self, result: Result, name: str) -> None:
        """Print the verdict."""
        self._say(f"{self._names.prefix(name)}{verdict_line(result)}")

    def close(self) -> None:
        """Do nothing: no line is unfinished."""

    def _say(self, line: str) -> None:
        with suppress(OSError):  # a full disk or a closed pipe loses the line, never the run
            print(line, file=self._stream, flush=True)


class LiveProgress:
    """Shows one line, overwritten in place: current measurement, step k of n, criteria decided, time elapsed."""

    def __init__(self, stream: TextIO) -> None:
        self._names = _Names()
        self._bar = tqdm(
            file=stream,
            leave=False,
            dynamic_ncols=True,
            desc="starting",
            bar_format="{desc} | {n_fmt} of {total_fmt} criteria | {elapsed}",
        )

    @hookimpl
    def retspec_run_started(self, report: Report) -> None:
        """Set the number of criteria, over all specs."""
        self._names.learn(report)
        self._bar.reset(total=(self._bar.total or 0) + len(report.every_result))

    @hookimpl
    def retspec_progress(self, measurement: str, step: int, total: int, name: str) -> None:
        """Show the step that begins."""
        steps = f", step {step} of {total}" if total else ""
        self._bar.set_description_str(f"{self._names.prefix(name)}{activity(measurement)}{steps}")

    @hookimpl
    def retspec_criterion_finished(self) -> None:
        """Count the verdict."""
        self._bar.update()

    def close(self) -> None:
        """Clear the line."""
        self._bar.close()


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
def watching(stream: TextIO, *, by_lines: bool = False) -> Iterator[LiveProgress | PlainProgress]:
    """Yield the observer for a stream, and leave no half-written line behind.

    by_lines: never overwrite a line, because others write to the stream, too.
    """
    observer = LiveProgress(stream) if _can_overwrite(stream) and not by_lines else PlainProgress(stream)
    try:
        yield observer
    finally:
        observer.close()


def _can_overwrite(stream: TextIO) -> bool:
    """Return whether a line can be overwritten: on a terminal that reports its size, which a container's may not."""
    return is_terminal(stream) and not os.environ.get("CI") and os.get_terminal_size(stream.fileno()).lines > 0
