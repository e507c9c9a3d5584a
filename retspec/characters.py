r"""Make untrusted text safe to show: terminal control sequences, bidirectional controls, and what XML cannot hold.

This module imports nothing from the package, so that everything that shows text can use it, including the errors.
"""

from __future__ import annotations

import re

_LONGEST_WORD = 60
"""Characters of an untrusted word that are quoted."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor, clearing the screen
    r"|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, PM, APC, SOS, with their contents
    r"|[()][0-~])"  # another character set
)
"""The 7-bit control sequences of ECMA-48; of the 8-bit ones, the first character is spelled out (see `_HIDDEN`).

OSC 8 turns text into a link, OSC 52 writes the clipboard: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
"""
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks, embeddings, overrides and isolates of bidirectional text, which can make a line look like another.

Unicode Standard Annex #9; CVE-2021-42574.
"""
_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIVE = re.compile(r"\[\[(?=\s*\w+\s*\|)")


def visible(text: str) -> str:
    r"""Return text without terminal or bidirectional control, which XML 1.0 can hold.

    Control sequences and bidirectional controls are dropped; control characters, lone surrogates and U+FFFE/FFFF are
    spelled out, as `\x1b`; every line break becomes a line feed, so that an overwritten progress bar reads as lines.
    """
    shown = _TURNING.sub("", _ESCAPES.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(_spelled_out, shown)


def revealed(text: str) -> str:
    r"""Return visible text in which bidirectional controls are spelled out, as `\u202e`, instead of dropped."""
    return visible(_TURNING.sub(_spelled_out, text))


def one_line(text: str) -> str:
    """Return visible text on one line: every run of white space becomes one space."""
    return " ".join(visible(text).split())


def quoted(text: str) -> str:
    """Return an untrusted word in quotes, short and on one line."""
    return repr(text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}...")


def word(text: str) -> str:
    """Return an untrusted word, short and on one line, for a message that needs no quotes around it."""
    return quoted(text)[1:-1]


def defused(text: str) -> str:
    """Return visible text in which no reader of JUnit XML finds a `[[PROPERTY|…]]` or `[[ATTACHMENT|…]]`."""
    return _DIRECTIVE.sub("[ [", visible(text))


def _spelled_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two hexadecimal digits
