"""The folder of a run on a cluster: the folders of its tasks, and the handles by which another process finds them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from retspec.cluster.assignment import Assignment, read_assignment
from retspec.errors import ReportError, UsageError
from retspec.executors import Task
from retspec.regular_files import read_regular
from retspec.whole_files import replace_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TASKS = "tasks"
"""The folder of all runs on clusters, beside the reports."""
_HANDLES = "handles.json"
_LOCK = ".lock"
_MOST = 64 << 20


class RunFolder:
    """The folder of one run, which one front end at a time has."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def handles(self) -> dict[str, str]:
        """The handle of each task by its name, as far as they were submitted."""
        with suppress(OSError, ValueError, msgspec.DecodeError):
            return msgspec.json.decode(read_regular(self.path / _HANDLES, _MOST) or b"", type=dict[str, str])
        return {}

    def keep(self, handles: Mapping[str, str]) -> None:
        """Record the handles; raises OSError."""
        replace_whole(self.path / _HANDLES, msgspec.json.encode(dict(handles)))

    @property
    def assignments(self) -> list[Assignment]:
        """Those of its tasks, in order; none if one of them cannot be read."""
        with suppress(UsageError):
            return [read_assignment(folder) for folder in self._folders()]
        return []

    def assign(self, assignments: Sequence[Assignment]) -> None:
        """Write the folder of each task; raises OSError."""
        for number, assignment in enumerate(assignments):
            assignment.write(self.path / f"{number:04}")

    def tasks(self, cwd: Path) -> list[Task]:
        """Return the tasks, in order."""
        return [Task(name=folder.name, folder=folder, cwd=cwd) for folder in self._folders()]

    def clear(self) -> None:
        """Remove what is in it."""
        for path in [*self._folders(), self.path / _HANDLES]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it, once there is nothing left to take from it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _folders(self) -> list[Path]:
        return sorted((path for path in self.path.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


@contextmanager
def run_folder(specs: Sequence[Path], below: Path) -> Iterator[RunFolder]:
    """Yield the folder of a run of these specs, which this process has alone; another run of them has one of its own.

    Raises ReportError where nothing can be written.
    """
    names = "\0".join(sorted(os.path.realpath(spec) for spec in specs))
    stem = f"{specs[0].stem}-{hashlib.sha256(names.encode(errors='surrogateescape')).hexdigest()[:8]}"
    for number in count(1):
        path = (below / TASKS / (stem if number == 1 else f"{stem}-{number}")).absolute()
        with _locked(path) as is_mine:
            if is_mine:
                yield RunFolder(path)
                return


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ReportError(f"cannot write the tasks to {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:  # a disk without locks: no other run can be seen
            yield True
        else:
            yield True
    finally:
        os.close(descriptor)
