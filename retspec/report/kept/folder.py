"""A folder of reports that belongs to one spec, and that one run at a time writes to."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from retspec.errors import ReportError, UsageError
from retspec.records import Proof
from retspec.regular_files import read_regular
from retspec.report.live.writing import write_whole
from retspec.results.results_file import read_report
from retspec.whole_files import remove_halves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from retspec.records import Report

REPORTS = Path("reports")
"""Where reports go by default, below the current directory."""
USUAL = {"junit": "junit.xml", "json": "results.json", "html": "report.html"}
"""The reports that every run writes, by format."""
_OWNER = ".spec"
"""Holds the path of the spec from the current directory; a run holds a lock on it while it writes the reports."""
_LONGEST_PATH = 4096
_LARGEST_PROOF = 16 << 20


@dataclass(frozen=True)
class ReportFolder:
    """`reports/NAME`, the folder of one spec."""

    path: Path
    spec: Path

    @property
    def history(self) -> Path:
        """The file with a line for each run."""
        return self.path / "history.jsonl"

    @property
    def previous(self) -> Path:
        """The results of the whole run before the last one."""
        return self.path / "previous.json"

    @property
    def proof(self) -> Path:
        """What `retspec prove` found, the last time."""
        return self.path / "proof.json"

    def place(self, *, partial: bool) -> Path:
        """Return where the reports of a run go: those of a part of the spec never replace those of the whole."""
        return self.path / "partial" if partial else self.path

    def own_files(self) -> list[Path]:
        """Return what is written beside the reports."""
        return [self.history, self.previous, self.proof, self.path / _OWNER]

    @contextmanager
    def claimed(self, *, partial: bool) -> Iterator[Path]:
        """Yield a place that this run has alone while it writes its reports, however its process ends.

        While another run has the usual place, it is `beside`. Raises ReportError where nothing can be written.
        """
        beside = (self.path / ("beside" if number == 1 else f"beside-{number}") for number in count(1))
        for place in chain([self.place(partial=partial)], beside):
            with _opened(place) as descriptor:
                if (locked := _locked(descriptor)) is not False:
                    if locked:
                        self._remove_halves(place)
                    self._take()
                    yield place
                    return

    def last_results(self, *, partial: bool) -> Report | None:
        """Return the results of the last run in its usual place; None if there are none, or they are damaged."""
        with suppress(UsageError):
            return read_report(self.place(partial=partial) / USUAL["json"])
        return None

    def last_proof(self) -> Proof | None:
        """Return what `retspec prove` found the last time; None if it found nothing, or the file is damaged."""
        with suppress(OSError, msgspec.MsgspecError):
            content = read_regular(self.proof, _LARGEST_PROOF)
            return None if content is None else msgspec.json.decode(content, type=Proof)
        return None

    def keep_previous(self) -> None:
        """Copy the results that are about to be replaced, if every criterion of the spec had its turn in them."""
        results = self.path / USUAL["json"]
        with suppress(UsageError, OSError):  # there are none, or they are damaged
            if read_report(results).is_whole:
                write_whole(self.previous, results.read_text(encoding="utf-8"))

    def _remove_halves(self, place: Path) -> None:
        """Remove what a killed run was writing: only the run that has the place writes there."""
        for name in (*USUAL.values(), self.previous.name):
            remove_halves(place / name)

    def _take(self) -> None:
        """Record whose folder this is."""
        if _owner_of(self.path) is None:
            with open(self.path / _OWNER, "wb") as file:  # noqa: PTH123 - in place: runs hold a lock on this file
                file.write(os.fsencode(os.path.relpath(_identity(self.spec))))


def folders_for(specs: Collection[Path], below: Path = REPORTS) -> list[ReportFolder]:
    """Return the folder of each spec: its file name, and a number if another spec has that folder."""
    taken: dict[Path, str] = {}
    for spec in specs:
        taken.setdefault(_free(spec, taken, below), _identity(spec))
    by_spec = {spec: path for path, spec in taken.items()}
    return [ReportFolder(by_spec[_identity(spec)], spec) for spec in specs]


def _free(spec: Path, taken: dict[Path, str], below: Path) -> Path:
    """Return the first folder that belongs to the spec, or to none."""
    mine = {None, _identity(spec)}
    named = (below / (spec.stem if number == 1 else f"{spec.stem}-{number}") for number in count(1))
    return next(path for path in named if taken.get(path) in mine and _owner_of(path) in mine)


def _owner_of(path: Path) -> str | None:
    """Return the spec that a folder belongs to; None if it belongs to none, or to one that is no longer there."""
    with suppress(OSError, ValueError):
        content = read_regular(path / _OWNER, _LONGEST_PATH)
        if content and os.path.exists(owner := os.path.realpath(os.fsdecode(content))):  # noqa: PTH110 - a text
            return owner
    return None


def _identity(spec: Path) -> str:
    return os.path.realpath(spec)


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    try:
        place.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place / _OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
    except OSError as error:
        raise ReportError(f"cannot write the reports to {place}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool | None:
    """Lock a file unless another run has; None on a file system without locks, where no other run can be seen."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
