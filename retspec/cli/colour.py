"""Colour on a terminal, and the two variables that overrule it."""

from __future__ import annotations

import os
from typing import TextIO

import click

from retspec.records import Verdict

COLOURS = {
    Verdict.MET: "green",
    Verdict.MISSED: "red",
    Verdict.WARNED: "yellow",
    Verdict.WAIVED: "blue",
    Verdict.SKIPPED: "cyan",
}
NO_VERDICT = "magenta"


def wants_colour(stream: TextIO) -> bool:
    """Return whether to colour a stream: NO_COLOR beats FORCE_COLOR, which beats asking the stream."""
    if os.environ.get("NO_COLOR"):
        return False
    if force := os.environ.get("FORCE_COLOR"):
        return force != "0"
    return is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that understands control sequences."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, verdict: Verdict) -> str:
    """Colour a text by its verdict; `click.echo` strips that again where no colour is wanted."""
    return click.style(text, fg=COLOURS.get(verdict, NO_VERDICT), bold=verdict is Verdict.MISSED or None)
