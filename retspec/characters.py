r"""The characters of strangers' texts: what a terminal obeys, what XML cannot hold, what hides or turns a line around.

A leaf of the package, so that everything that shows a text may use it, errors included.
"""

from __future__ import annotations

import re

_LONGEST_WORD = 60
"""Characters of a stranger's word that are quoted."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor, clearing the screen
    r"|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, PM, APC, SOS, with their contents
    r"|[()][0-~])"  # another character set
)
"""The control sequences of ECMA-48 in 7 bits; of those in 8 bits, the first character is spelled out.

OSC 8 makes a link of a text, OSC 52 writes the clipboard: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
"""
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks, embeddings, overrides and isolates of bidirectional text, which can make a line read as another.

Unicode Standard Annex #9; CVE-2021-42574.
"""
_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIVE = re.compile(r"\[\[(?=\s*\w+\s*\|)")


def visible(text: str) -> str:
    r"""Return text that a terminal obeys nothing of, that reads in its own order, and that XML 1.0 can hold.

    Control sequences and bidirectional controls are dropped; control characters, lone surrogates and U+FFFE/FFFF are
    spelled out, as `\x1b`; every line break becomes a line feed, so that an overwritten progress bar reads as lines.
    """
    shown = _TURNING.sub("", _ESCAPES.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(_spelled_out, shown)


def one_line(text: str) -> str:
    """Return visible text with every run of white space turned into one space."""
    return " ".join(visible(text).split())


def quoted(text: str) -> str:
    """Quote a word of a stranger's so that it stays short and on one line."""
    return repr(text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}...")


def word(text: str) -> str:
    """Return a word of a stranger's, short and on one line, for a message that needs no quotes around it."""
    return quoted(text)[1:-1]


def defused(text: str) -> str:
    """Return visible text in which no reader of JUnit XML finds a `[[PROPERTY|…]]` or `[[ATTACHMENT|…]]`."""
    return _DIRECTIVE.sub("[ [", visible(text))


def _spelled_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two hexadecimal digits
