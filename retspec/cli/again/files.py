"""What the last run read, and when it changes; files are looked at, so that it works on any file system."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.cli.again.data_folders import DataFolders
from retspec.engine.interrupts import raise_if_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    State = tuple[int, int, int] | None
    """When a file was last written to, its size, its inode; None if it is not there."""
    States = Mapping[str, State]

LOOK = 0.3
"""Seconds between two looks."""
_MOST_LOOKS = 10
"""Looks after which a file counts as written, though it is empty, gone, or grows."""
_BESIDE = frozenset({".py", ".yaml", ".yml", ".json", ".toml"})
"""Files beside the spec that may be why a run did not come to verdicts."""
_MOST_IN_A_ROW = 3
"""Runs in a row during which a file changes, after which the runs themselves are what changes it."""


def pause() -> None:
    """Let a moment pass; raises Interrupted."""
    raise_if_interrupted()
    time.sleep(LOOK)
    raise_if_interrupted()


class WatchedFiles:
    """The files that a change of starts the next run.

    specs: the specs that are run. pausing: called between two looks.
    """

    def __init__(self, specs: Sequence[Path], pausing: Callable[[], None] = pause) -> None:
        self._pause = pausing
        self._specs = [os.path.abspath(spec) for spec in specs]  # noqa: PTH100 - a link is watched, not its target
        self._paths = {*self._specs}
        self._data = DataFolders([str(Path.cwd()), *map(os.path.dirname, self._specs)])
        self._folders: list[str] = []
        self._in_a_row: dict[str, int] = {}
        self._dropped: set[str] = set()
        self._states: States = {}
        self._begun = 0

    @property
    def count(self) -> int:
        """How many files are watched, with those of the data."""
        return len(self._states) + self._data.count

    def begin(self) -> None:
        """Look before a run: what changes from now on, that run may not have seen."""
        self._begun = time.time_ns()
        self._states = self._look()
        self._data.begin()

    def learn(self, paths: Iterable[str], folders: Iterable[str] = (), *, is_judged: bool) -> list[str]:
        """Take over what the run says that it read, and return which files it may have read too early.

        folders: those of the data; what it may have read too early in them, the next `wait` returns. is_judged: whether
        it came to verdicts; else files beside the specs are watched, too, such as a module that is not there yet.
        """
        known = {*paths}
        self._paths = {*self._specs, *(known or self._paths)} if is_judged else {*self._paths, *known}
        self._paths -= self._dropped
        self._data.learn({*folders} if is_judged else {*folders, *self._data.roots})
        self._folders = [] if is_judged else [str(Path.cwd()), *map(os.path.dirname, self._specs)]
        before, self._states = self._states, self._look()
        late = [path for path, state in self._states.items() if self._is_late(path, state, before)]
        self._in_a_row = {path: self._in_a_row.get(path, 0) + 1 for path in late}
        return late

    def drop(self) -> list[str]:
        """Return the files, and the folders of data, that the runs themselves change, and watch them no longer."""
        found = [path for path, times in self._in_a_row.items() if times >= _MOST_IN_A_ROW]
        self._dropped.update(found)
        self._paths -= self._dropped
        self._states = {path: state for path, state in self._states.items() if path not in self._dropped}
        return [*found, *self._data.drop()]

    def wait(self) -> list[str]:
        """Return which files have changed, once they have been left alone for a moment.

        Raises Interrupted.
        """
        while not (changed := [*self._changed(self._look()), *self._data.look()]):
            self._pause()
        now = self._look()
        for _ in range(_MOST_LOOKS):
            self._pause()
            before, now = now, self._look()
            changed += (of_data := self._data.look())
            is_half = any(_is_half(self._states.get(path), now.get(path)) for path in changed)
            if now == before and not of_data and not is_half:
                break
        return [*dict.fromkeys([*self._changed(now), *changed])]

    def _changed(self, now: States) -> list[str]:
        return [path for path in {**self._states, **now} if self._states.get(path) != now.get(path)]

    def _is_late(self, path: str, state: State, before: States) -> bool:
        if path in before:
            return state != before[path]
        return state is not None and state[0] >= self._begun and not self._folders

    def _look(self) -> dict[str, State]:
        beside = {path for folder in self._folders for path in _beside(folder)} - self._dropped
        return {path: _state(path) for path in sorted(self._paths | beside)}


def _state(path: str) -> State:
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of texts, several times a second
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _beside(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if os.path.splitext(entry.name)[1] in _BESIDE]  # noqa: PTH122
    except OSError:
        return []


def _is_half(before: State, now: State) -> bool:
    """Whether a file looks as while an editor writes it: it is gone, or empty, and was not."""
    return before is not None and before[1] > 0 and (now is None or now[1] == 0)
