"""`history.jsonl`: a line for each run, the newest last, for people and for the next run.

A line is bounded, and so is their number. A broken line, such as one that a full disk cut off, is skipped and reported.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from retspec.errors import ReportError
from retspec.records import Asked, Report, Value, Verdict, plain
from retspec.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Criterion, Result

MOST_RUNS = 500
"""Lines that are kept."""
MOST_CRITERIA = 2_000
"""Criteria of a line, those that are not met first."""
MOST_CELLS = 100
"""Cells of a line of which it says what was under test."""
LONGEST = 200
"""Characters of a value that is text."""
_MOST_BYTES = 64 << 20
"""Of a file that is read at all: far more than any that is written."""
_MOST_WAIT = 5.0
"""Seconds to wait for another run that writes its line."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One criterion of a run."""

    verdict: Verdict
    observed: Value | None = None
    limit: Value | None = None
    asks: str = ""
    """The beginning of a hash of the check and its arguments; empty in lines of an earlier retspec."""
    seeds: int = 1
    deviation: float | None = None
    """The sample standard deviation over the seeds."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One line of the history."""

    retspec_history: Literal[1] = 1
    spec: str
    """The path of the spec from the current directory."""
    started: str
    seconds: float
    commit: str
    device: str
    subjects: dict[str, str]
    """Cell to the beginning of the SHA-256 of what was under test; without a matrix, the cell is empty."""
    asked: Asked = field(default_factory=Asked)
    whole: bool
    """Whether every criterion of the spec had its turn."""
    exit_code: int
    counts: dict[str, int]
    criteria: dict[str, Seen]
    """By their names."""
    left_out: int = 0
    """Criteria that the line does not hold, because there are too many."""

    @classmethod
    def of(cls, report: Report, spec: str) -> Run:
        """Return the line for a report, which holds no secrets any more."""
        first = report.parts[0].provenance
        results = sorted(report.every_result, key=lambda result: result.verdict is Verdict.MET)
        counts = {verdict.value: report.count(verdict) for verdict in Verdict}
        return cls(
            spec=spec,
            started=report.started,
            seconds=round(report.seconds, 3),
            commit=first.git_commit,
            device=first.device,
            subjects={part.cell: part.provenance.subject_sha256[:16] for part in report.parts[:MOST_CELLS]},
            asked=report.parts[0].asked,
            whole=report.is_whole,
            exit_code=report.exit_code,
            counts={word: number for word, number in counts.items() if number},
            criteria={result.criterion.name: _seen(result) for result in results[:MOST_CRITERIA]},
            left_out=max(0, len(results) - MOST_CRITERIA),
        )


class History:
    """The lines of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: list[str] = []
        """What was skipped, each in a sentence."""

    @cached_property
    def runs(self) -> list[Run]:
        """All runs that can be read, the newest last."""
        found = [self._run(number, line) for number, line in enumerate(self._lines(), 1)]
        return [run for run in found if run is not None]

    def append(self, run: Run) -> None:
        """Add a line in one step; raises ReportError if it cannot be written."""
        line = json.dumps(plain(run), separators=(",", ":")).encode() + b"\n"
        try:
            with _alone(self.path) as descriptor:
                self._append(descriptor, line)
        except OSError as error:
            raise ReportError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _append(self, descriptor: int, line: bytes) -> None:
        before = self._lines()
        if len(before) >= MOST_RUNS:
            _replace(self.path, b"".join(each + b"\n" for each in before[1 - MOST_RUNS :]) + line)
            return
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a line was cut off
            line = b"\n" + line
        try:
            while line:
                line = line[os.write(descriptor, line) :]
        except OSError:
            os.ftruncate(descriptor, size)
            raise

    def _lines(self) -> Sequence[bytes]:
        try:
            content = read_regular(self.path, _MOST_BYTES)
        except OSError:
            return ()
        if content is None:
            self._skip(f"{self.path} is larger than {_MOST_BYTES >> 20} MiB and is not read; remove it")
            return ()
        return content.splitlines()

    def _run(self, number: int, line: bytes) -> Run | None:
        try:
            return msgspec.convert(json.loads(line), Run)
        except (ValueError, RecursionError, msgspec.ValidationError):
            self._skip(f"{self.path}:{number} is broken and is skipped")
            return None

    def _skip(self, sentence: str) -> None:
        if sentence not in self.broken:
            self.broken.append(sentence)


def asks_of(criterion: Criterion) -> str:
    """Return what tells apart what a criterion asks for: its check and its arguments, without its limit."""
    asked = json.dumps(plain((criterion.check, criterion.arguments)), sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:8]


def _seen(result: Result) -> Seen:
    seeds = result.seeds
    return Seen(
        verdict=result.verdict,
        observed=_short(result.observed.value if result.observed else None),
        limit=_short(result.criterion.limit),
        asks=asks_of(result.criterion),
        seeds=len(seeds.each) if seeds else 1,
        deviation=seeds.deviation if seeds else None,
    )


def _short(value: Any) -> Any:
    """Return a value of bounded size."""
    if isinstance(value, str | tuple) or (isinstance(value, int) and abs(value) >= 1 << 63):
        text = value if isinstance(value, str) else repr(value)
        return value if len(text) <= LONGEST and not isinstance(value, int) else f"{text[:LONGEST]}…"
    return value


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """Open a file for one more line, without another run that does the same; such a run may have replaced it."""
    is_current = False
    while not is_current:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, "it is not a regular file")
            _wait_for_lock(descriptor)
            with suppress(FileNotFoundError):
                is_current = os.path.samestat(os.fstat(descriptor), path.stat())
            if is_current:
                yield descriptor
        finally:
            os.close(descriptor)


def _wait_for_lock(descriptor: int) -> None:
    """Wait for a lock, but not for ever: a line that is appended is whole without it, too."""
    until = time.monotonic() + _MOST_WAIT
    while time.monotonic() < until:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # a file system without locks
            return
        else:
            return


def _replace(path: Path, content: bytes) -> None:
    target = Path(os.path.realpath(path))
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)
