"""The run that waits: everything is imported that is not the user's, and nothing is read yet."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, Self

from retspec.own_modules import own_modules
from retspec.plugins.catalog import gather
from retspec.plugins.hooks import hookimpl
from retspec.report.live import folders_among, paths_among, read_by

if TYPE_CHECKING:
    from types import TracebackType

    from retspec.records import Spec

VARIABLE = "RETSPEC_READY"
"""Environment variable of a run that waits: two descriptors, and the libraries that its worker imports meanwhile."""
GO = b"g"
_MOST_PATHS = 5_000


class ReadyRun:
    """Waits for its turn, and says at the end which files the run has read.

    It is an observer of the run. If the process that watches dies, this one ends as if asked to by a signal.
    """

    def __init__(self, signals: int, answers: int, libraries: tuple[str, ...], *, live_output: bool) -> None:
        # As in `retspec.running`: the code for workers is imported where one is started.
        from retspec.engine.supervisor import Workers

        for descriptor in (signals, answers):
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - positional in the standard library
        self._signals, self._answers = signals, answers
        self._paths: dict[str, None] = {}
        self._folders: dict[str, None] = {}
        self._model_keys: frozenset[str] = frozenset()
        self._sources = gather(entry_points=False).model_sources  # the built-in ones, whose libraries are installed
        self.workers = Workers(live_output=live_output)
        if libraries:
            self.workers.prepare(lambda: libraries)

    def wait(self) -> None:
        """Wait for the turn of this run; end the process if there is none."""
        if os.read(self._signals, 1) != GO:
            self.workers.close()
            _leave()
        threading.Thread(target=self._end_with_the_other, daemon=True).start()

    def _end_with_the_other(self) -> None:
        os.read(self._signals, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    @hookimpl
    def retspec_spec_loaded(self, spec: Spec) -> None:
        """Keep the files that a spec names, the folders of its data, and how its model is made."""
        self._paths.update(dict.fromkeys(map(os.path.abspath, paths_among(read_by(spec), spec.folders))))
        self._folders.update(dict.fromkeys(map(os.path.abspath, folders_among([spec.data], spec.folders))))
        self._model_keys |= spec.model_keys

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say what was read, however the run ended."""
        paths = dict.fromkeys([*own_modules(), *sorted(self.workers.modules), *self._paths])
        found = {"paths": [*paths][:_MOST_PATHS], "folders": [*self._folders][:_MOST_PATHS]}
        answer = {**found, "libraries": self._libraries()}
        with suppress(OSError):  # nobody watches any more
            rest = json.dumps(answer).encode()
            while rest:
                rest = rest[os.write(self._answers, rest) :]
        with suppress(OSError):
            os.close(self._answers)

    def _libraries(self) -> tuple[str, ...]:
        """Return what a worker can import for the next run before the specs are read."""
        from retspec.engine.supervisor import libraries_for

        return libraries_for(self._model_keys, self._sources) if self.workers.could_be_prepared else ()


def ready_run(*, live_output: bool) -> ReadyRun | None:
    """Return the run that this process waits for, if a watching one started it; else None."""
    variable = os.environ.pop(VARIABLE, "")
    if not variable:
        return None
    signals, answers, *libraries = variable.split(",")
    return ReadyRun(int(signals), int(answers), tuple(libraries), live_output=live_output)


def _leave() -> NoReturn:
    """End without a word: nothing was measured."""
    sys.stdout.flush()
    os._exit(os.EX_OK)
