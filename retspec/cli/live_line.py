"""One line on a terminal, drawn again in place a few times a second, whether or not anything has happened."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from retspec.text.fitting import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PAUSE = 0.125
"""Seconds between two drawings."""
_LAST = 1.0
"""Seconds that the end waits for the last drawing: a terminal that is held (Ctrl-S) must not hold the run."""
_REST = "\x1b[K"
"""Wipes what follows in the line; wiping all of it before it is drawn would flicker."""
_FRAMES, _PLAIN_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"


class LiveLine:
    """Draws a line from a thread of its own, so that it moves while the run waits; closing it wipes the line.

    variants: returns the text, given the seconds since the start; the widest first, of which the first that fits is
        shown.
    """

    def __init__(self, stream: TextIO, variants: Callable[[float], Iterable[str]]) -> None:
        self._stream, self._variants = stream, variants
        self._frames = _FRAMES if _can_write(_FRAMES, stream) else _PLAIN_FRAMES
        self._begun = monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._draw_on, name="live line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wipe the line."""
        self._closed.set()
        self._thread.join(_LAST)
        if not self._thread.is_alive():
            with suppress(OSError, ValueError):
                self._write(f"\r{_REST}\r")

    def _draw_on(self) -> None:
        drawn = 0
        with suppress(OSError, ValueError):  # the terminal is gone: the run goes on
            while not self._closed.is_set():
                width = os.get_terminal_size(self._stream.fileno()).columns - 2  # the frame and a blank
                text = fitted(self._variants(monotonic() - self._begun), width - 1)  # a full line would wrap
                self._write(f"\r{self._frames[drawn % len(self._frames)]} {text}{_REST}")
                drawn += 1
                self._closed.wait(PAUSE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def fitted(variants: Iterable[str], width: int) -> str:
    """Return the first text that fits, or as much of the last one as fits."""
    text = ""
    for text in variants:
        if cells(text) <= width:
            return text
    while text and cells(text) > max(width - 1, 0):
        text = text[:-1]
    return f"{text}…" if width > 0 else ""


def _can_write(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
