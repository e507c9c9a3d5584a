"""Recording the warnings of Python that come up in a process, for one job after another.

Python warns by its filters (https://docs.python.org/3/library/warnings.html#default-warning-filter): once per line, and
of a deprecation only where the code of `__main__` causes it. What the filters hide is not recorded either.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from retspec.facts import SeenWarning, Warned
from retspec.subjects.models.base_models import BaseModels

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGER = "py.warnings"
"""Where `logging.captureWarnings` sends what would be shown."""
_FORMATTED = re.compile(
    r"(?P<file>.+?):(?P<line>\d+): (?P<category>\w+): (?P<message>.*?)(?:\n  [^\n]*)?\n?", re.DOTALL
)
"""A warning as `warnings.formatwarning` writes it, with the line of the source below it if that is at hand."""
_IMPORTING = "<frozen importlib"
"""What the file names of Python's own import system begin with."""
_INSTALLED = re.compile(r".*[/\\](?:site|dist)-packages[/\\]")


class WarningRecorder:
    """Knows the warnings of the job at work, those included that an earlier job has used up.

    A module is imported once per process, and a base model may be made once for several jobs: what came up then counts
    for each of them.
    """

    def __init__(self) -> None:
        self._show = warnings.showwarning
        self._importing: dict[SeenWarning, None] = {}
        self._making_base: dict[SeenWarning, None] = {}
        self._base: object = None
        self._seen: dict[SeenWarning, None] = {}
        self._resumed = False

    def install(self) -> None:
        """Record what is shown from now on, and show it all the same."""
        self._show, warnings.showwarning = warnings.showwarning, self._record

    @contextmanager
    def job(self, base: object, *, resumed: bool = False) -> Iterator[None]:
        """Record the warnings of a job.

        base: what its base model is made of. resumed: whether a worker died over this job before.
        """
        if base != self._base:
            self._base, self._making_base = base, {}
        self._seen, self._resumed = {**self._importing, **self._making_base}, resumed
        handler = _Handler(self)
        logging.getLogger(_LOGGER).addHandler(handler)
        try:
            with warnings.catch_warnings():  # which makes Python forget which lines have warned
                if warnings.showwarning != self._record:
                    self.install()
                yield
        finally:
            logging.getLogger(_LOGGER).removeHandler(handler)

    def facts(self, *, made: tuple[str, ...], failed: tuple[str, ...]) -> Warned:
        """Return the warnings of the job so far."""
        return Warned(warnings=tuple(self._seen), made=made, failed=failed, resumed=self._resumed)

    def add(self, warning: SeenWarning) -> None:
        """Keep a warning, and know it again for later jobs where it came up for the last time."""
        self._seen[warning] = None
        frame = sys._getframe()  # noqa: SLF001 - the documented way to walk a stack without its source
        while frame.f_back is not None:
            frame = frame.f_back
            if frame.f_code.co_filename.startswith(_IMPORTING):
                self._importing[warning] = None
                return
            if frame.f_code is BaseModels.take.__code__:
                self._making_base[warning] = None
                return

    def _record(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        self.add(SeenWarning(category.__name__, str(message), _shortened(filename), lineno))
        self._show(message, category, filename, lineno, file, line)


class _Handler(logging.Handler):
    """Hears what `logging.captureWarnings` takes away from `warnings.showwarning`."""

    def __init__(self, recorder: WarningRecorder) -> None:
        super().__init__()
        self._recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        """Record a warning."""
        if found := _FORMATTED.fullmatch(record.getMessage()):
            warning = SeenWarning(found["category"], found["message"], _shortened(found["file"]), int(found["line"]))
            self._recorder.add(warning)


def _shortened(file: str) -> str:
    return _INSTALLED.sub("", file)
