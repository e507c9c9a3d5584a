"""Regular expressions of a spec, bounded before a library uses them: one such as `(a+)+b` runs for ages."""

from __future__ import annotations

import re
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retspec.characters import quoted
from retspec.errors import SubjectError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

SECONDS = 5.0
"""For one regular expression and all names of a model; thousands of names take milliseconds."""


class _TooSlow(BaseException):
    """The time is up; not an Exception, so that nothing in between catches it."""


def require_quick(patterns: Iterable[tuple[str, str]], names: Sequence[str], *, limit: float = SECONDS) -> None:
    """Match every pattern with every name; patterns are (place in the spec, regular expression).

    limit: seconds for each pattern.

    Raises SubjectError at the place of a pattern that takes longer. Python looks for signals while it matches, so a
    timer ends it; in another thread than the main one there is none, and nothing is tried.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return
    for place, pattern in patterns:
        try:
            with _within(limit):
                for name in names:
                    re.fullmatch(pattern, name)
        except _TooSlow:
            raise SubjectError(
                f"matching {quoted(pattern)} with the names of the layers takes more than {limit:g} s; a repetition "
                "within a repetition, such as (a+)+, is slow: write it without",
                path=place,
            ) from None


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
