"""The process that watches: it starts runs, one after another, and reads nothing of the user's itself."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line
from retspec.cli.again.files import WatchedFiles
from retspec.cli.again.ready import GO, VARIABLE
from retspec.cli.screen import say
from retspec.engine.interrupts import Interrupted, interruptible, raise_if_interrupted
from retspec.errors import RetspecError
from retspec.own_modules import installation_state
from retspec.records import EXIT_MET, EXIT_MISSED
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK = 0.2
"""Seconds between two looks for a signal while a run works."""
_PARTING = 30.0
"""Seconds for a run that only waits to end, before it is killed."""


def watch(arguments: Sequence[str], specs: Sequence[Path]) -> int:
    """Run again and again until a signal comes, and return the exit code of the last run; after SIGTERM, that of it.

    arguments: the command line of `retspec run`. specs: the specs in it.
    """
    watcher = _Watcher(arguments, specs)
    with interruptible():
        try:
            watcher.go_on()
        except Interrupted as interruption:
            code = watcher.end(interruption.number)
            return code if interruption.number == signal.SIGINT else 128 + interruption.number
        finally:
            watcher.close()
    return watcher.code


class _Watcher:
    """The loop: run, learn what was read, make the next run ready, wait for a change."""

    def __init__(self, arguments: Sequence[str], specs: Sequence[Path]) -> None:
        self.code = EXIT_MET
        self._arguments = arguments
        self._files = WatchedFiles(specs)
        self._run = _WaitingRun(arguments, ())

    def go_on(self) -> None:
        """Run whenever something changes; raises Interrupted."""
        while True:
            if self._run.is_outdated:
                self._make_ready()
            self._files.begin()
            self._run.go()
            self.code = self._run.finished()
            is_judged = self.code in {EXIT_MET, EXIT_MISSED}
            late = self._files.learn(self._run.paths, self._run.folders, is_judged=is_judged)
            self._make_ready()
            for path in self._files.drop():
                say(f"not watched any more, because every run changes it: {_shown([path])}", err=True)
                late = [each for each in late if each != path]
            if not late:
                say(f"watching {_counted(self._files.count)}; Ctrl-C ends", err=True)
            say(f"changed: {_shown(late or self._files.wait())}", err=True)

    def _make_ready(self) -> None:
        libraries = self._run.libraries
        self._run.close()
        self._run = _WaitingRun(self._arguments, libraries)

    def end(self, number: int) -> int:
        """Pass a signal on to a run that works, and return the exit code of the last run."""
        if self._run.is_working:
            self._run.send(number)
            self.code = self._run.code()
        return self.code

    def close(self) -> None:
        """End the run that waits."""
        self._run.close()


class _WaitingRun:
    """A process that is ready to run, and has read nothing yet."""

    def __init__(self, arguments: Sequence[str], libraries: tuple[str, ...]) -> None:
        self.libraries = libraries
        self.paths: list[str] = []
        self.folders: list[str] = []
        self.is_working = False
        self._installed = installation_state()
        signals, self._signals = os.pipe()
        self._answers, answers = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, *_safe_path(), "-m", "retspec", *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=[signals, answers],
                process_group=0,  # Ctrl-C reaches it once, from here
                env=_environment(f"{signals},{answers}" + "".join(f",{name}" for name in libraries)),
            )
        except OSError as error:
            raise RetspecError(f"cannot start a run: {error.strerror or error}") from error
        finally:
            os.close(signals)
            os.close(answers)

    @property
    def is_outdated(self) -> bool:
        """Whether it ended, or packages were installed since it imported them."""
        return self._process.poll() is not None or self._installed != installation_state()

    def go(self) -> None:
        """Let it run."""
        self.is_working = True
        with suppress(BrokenPipeError):  # its exit code says why
            os.write(self._signals, GO)

    def finished(self) -> int:
        """Wait for the end of the run, and return its exit code; raises Interrupted."""
        answer = b""
        while True:
            raise_if_interrupted()
            if select.select([self._answers], [], [], _LOOK)[0]:
                piece = os.read(self._answers, 1 << 16)
                if not piece:
                    break
                answer += piece
        self._take(answer)
        while self._process.poll() is None:
            raise_if_interrupted()
            time.sleep(_LOOK / 10)
        return self.code()

    def _take(self, answer: bytes) -> None:
        """Take over what it says; a run that was killed says nothing."""
        with suppress(ValueError):
            said: dict[str, Any] = json.loads(answer)
            self.paths, self.folders = said["paths"], said["folders"]
            self.libraries = tuple(said["libraries"]) or self.libraries

    def code(self) -> int:
        """Return the exit code as a shell reports it, once it has ended."""
        status = self._process.wait()
        self.is_working = False
        return status if status >= 0 else 128 - status

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def close(self) -> None:
        """End it: without its pipe it leaves by itself."""
        for descriptor in (self._signals, self._answers):
            with suppress(OSError):
                os.close(descriptor)
        try:
            self._process.wait(_PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _safe_path() -> list[str]:
    """Return the option without which a file in the working directory could replace a module, unless it may here."""
    return [] if sys.path[:1] in ([""], [str(Path.cwd())]) else ["-P"]


def _environment(ready: str) -> dict[str, str]:
    package_parent = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), package_parent]))
    return {**os.environ, "PYTHONPATH": path, VARIABLE: ready}


def _shown(paths: Sequence[str]) -> str:
    return listing([one_line(os.path.relpath(path)) for path in paths])


def _counted(files: int) -> str:
    return f"{files:,} file{'s' * (files != 1)}"
