"""The folders of the data: a look at them costs the same, however many images are in them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from retspec.subjects.data.walking import holds_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

FOLDERS = 1_000
"""Folders that are looked at in a turn."""
FILES = 200
"""Files that are looked at in a turn."""
_MOST_NAMED = 5
"""Files that are named, of those that are new or gone in a folder; of more, the folder is."""
_MOST_IN_A_ROW = 3
"""Runs in a row during which something changes, after which the runs themselves are what changes it."""
_SETTLED = 1_000_000_000
"""Nanoseconds after which a folder that changes again has another time, on any file system."""
_SKEW = 2_000_000_000
"""Nanoseconds that the clock of a network drive may be behind."""


@dataclass
class _Folder:
    """What is known of a folder."""

    identity: tuple[int, int]
    """Device and inode."""
    is_project: bool
    """Whether it is below a folder that holds the spec or the working directory: there only images count."""
    time: int = 0
    """When something was added, removed or renamed in it; 0 lists it again in the next turn."""
    files: dict[str, int] = field(default_factory=dict)
    """Name to a hash of what the file looked like; 0 until the first look at it."""
    folders: frozenset[str] = frozenset()
    """Names."""


class DataFolders:
    """All files in some folders, and below.

    A folder has another time once a file in it is added, removed or renamed, so that this is seen at once, in up to
    1,000 folders. A file that was written to is seen when its turn comes: 200 are looked at, and in the next turn the
    next ones.

    projects: folders that are no data, such as the one of the spec.
    """

    def __init__(self, projects: Iterable[str]) -> None:
        self._projects = [*projects]
        self._folders: dict[str, _Folder] = {}
        self._seen: set[tuple[int, int]] = set()
        self._folder_round = _Round(lambda: iter([*self._folders]))
        self._file_round = _Round(self._each_file)
        self._begun = self._ended = 0
        self._by_run: set[str] = set()
        self._in_a_row: dict[str, int] = {}
        self._dropped: set[str] = set()
        self.roots: set[str] = set()
        """The folders that were named."""

    @property
    def count(self) -> int:
        """How many files are watched."""
        return sum(len(folder.files) for folder in self._folders.values())

    def begin(self) -> None:
        """Begin a run: it reads what has changed until now."""
        self._begun = self._ended = time.time_ns()
        self._in_a_row = {path: self._in_a_row.get(path, 0) + 1 for path in self._by_run}
        self._by_run = set()

    def learn(self, roots: Iterable[str]) -> None:
        """End the run, and watch these folders from now on; nothing is known yet of those that are new."""
        self._ended = time.time_ns()
        before, self.roots = self.roots, {*roots}
        if before != self.roots:
            self._folders, self._seen = {}, set()
            for root in sorted(self.roots, key=lambda root: (self._is_project(root), root)):
                self._add(root, is_project=self._is_project(root))

    def drop(self) -> list[str]:
        """Return what the runs themselves change, and watch it no longer."""
        found = [path for path, times in self._in_a_row.items() if times >= _MOST_IN_A_ROW]
        self._dropped.update(found)
        self._in_a_row = {path: times for path, times in self._in_a_row.items() if path not in self._dropped}
        return found

    def look(self) -> list[str]:
        """Take a turn, and return the paths of what has changed since the last run began."""
        changed = [path for folder in self._folder_round.turn(FOLDERS) for path in self._changed_in(folder)]
        changed += [path for folder, name in self._file_round.turn(FILES) if (path := self._changed(folder, name))]
        return [*dict.fromkeys(changed)]

    def _each_file(self) -> Iterator[tuple[str, str]]:
        for path, folder in [*self._folders.items()]:
            yield from ((path, name) for name in [*folder.files])

    def _changed_in(self, path: str) -> list[str]:
        """Return what is new or gone in a folder."""
        known = self._folders.get(path)
        status = _status(path)
        if known is None or (status is not None and status.st_mtime_ns == known.time):
            return []
        before = known.files.keys() | known.folders
        self._list(path, known, status)
        names = sorted(before ^ (known.files.keys() | known.folders))
        if not names or not self._is_news(path, status, self._begun - _SKEW):
            return []
        return [os.path.join(path, name) for name in names] if len(names) <= _MOST_NAMED else [path]  # noqa: PTH118 - fast

    def _changed(self, folder: str, name: str) -> str:
        """Return the path of a file if it was written to, else nothing."""
        files = self._folders[folder].files if folder in self._folders else {}
        if name not in files:
            return ""
        path = os.path.join(folder, name)  # noqa: PTH118 - fast
        status = _status(path)
        now = 0 if status is None else hash((status.st_mtime_ns, status.st_size, status.st_ino))
        before, files[name] = files[name], now
        begun = self._begun - _SKEW if before else self._begun
        return path if status is not None and now != before and self._is_news(path, status, begun) else ""

    def _is_news(self, path: str, status: os.stat_result | None, begun: int) -> bool:
        """Whether something has changed since the run began that knows it, by the time that no program sets."""
        if path in self._dropped or (status is not None and status.st_ctime_ns < begun):
            return False
        if status is not None and status.st_ctime_ns < self._ended:
            self._by_run.add(path)
        return True

    def _is_project(self, root: str) -> bool:
        return any(_is_within(project, root) for project in self._projects)

    def _add(self, path: str, *, is_project: bool) -> None:
        """Watch a folder and those below it, each once, wherever links lead."""
        status = _status(path)
        if status is not None and (identity := (status.st_dev, status.st_ino)) not in self._seen:
            self._seen.add(identity)
            self._folders[path] = known = _Folder(identity, is_project)
            self._list(path, known, status)

    def _list(self, path: str, known: _Folder, status: os.stat_result | None) -> None:
        files, folders = _names_in(path, only_images=known.is_project)
        known.files = {name: known.files.get(name, 0) for name in files}
        before, known.folders = known.folders, frozenset(folders)
        is_settled = status is not None and abs(time.time_ns() - status.st_mtime_ns) > _SETTLED
        known.time = status.st_mtime_ns if status is not None and is_settled else 0
        self._forget([os.path.join(path, name) for name in before - known.folders])  # noqa: PTH118 - fast
        for name in sorted(known.folders - before):
            self._add(os.path.join(path, name), is_project=known.is_project)  # noqa: PTH118 - fast

    def _forget(self, paths: Iterable[str]) -> None:
        for path in paths:
            for each in [each for each in self._folders if _is_within(each, path)]:
                self._seen.discard(self._folders.pop(each).identity)


class _Round(Generic[T]):
    """Goes round in things, some of them a turn, and none twice in one.

    things: returns them all.
    """

    def __init__(self, things: Callable[[], Iterator[T]]) -> None:
        self._things = things
        self._left: Iterator[T] = iter(())

    def turn(self, most: int) -> list[T]:
        """Return the next ones; after the last ones, the next turn has the first again."""
        found = [*islice(self._left, most)]
        if len(found) < most:
            self._left = self._things()
        return found or [*islice(self._left, most)]


def _names_in(folder: str, *, only_images: bool) -> tuple[list[str], list[str]]:
    """Return the names of the files and of the folders in a folder, without what is hidden; none if it is gone."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_image = holds_image(entry.name)
                if entry.name.startswith((".", "__pycache__")):
                    continue
                if entry.is_dir(follow_symlinks=not is_image):  # a link to an image would cost a look at it
                    folders.append(entry.name)
                elif is_image or not only_images:
                    files.append(entry.name)
    except OSError:
        return [], []
    return files, folders


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - fast
    except (OSError, ValueError):
        return None


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
