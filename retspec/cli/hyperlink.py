"""Paths that a click opens, on terminals that know how.

OSC 8: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda. A terminal cannot be asked whether it knows
links; those below do, by the variables that they set. `FORCE_HYPERLINK` overrules that, as in other programs
(https://github.com/chalk/supports-hyperlinks).
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

from retspec.characters import visible
from retspec.cli.colour import is_terminal

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM")
"""Variables that only terminals with links set: kitty, Windows Terminal, Konsole, DomTerm."""
_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty"})
_TERMS = ("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm")
_FIRST_VTE = 5001
"""The first version of VTE (GNOME Terminal, Tilix) with links; 0.50.0 itself crashed on them."""


def wants_links(stream: TextIO) -> bool:
    """Return whether to write links: NO_COLOR and TERM=dumb beat FORCE_HYPERLINK, which beats asking the terminal."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    if force := os.environ.get("FORCE_HYPERLINK"):
        return force != "0"
    return is_terminal(stream) and not os.environ.get("CI") and _knows_links()


def linked(path: Path, stream: TextIO) -> str:
    """Return a path as it is shown on a stream: a link to the file where the terminal knows links."""
    text = visible(str(path))
    if not wants_links(stream):
        return text
    address = f"file://{quote(socket.gethostname())}{path.absolute().as_uri().removeprefix('file://')}"
    return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"


def _knows_links() -> bool:
    environment = os.environ
    vte = environment.get("VTE_VERSION", "")
    return (
        any(environment.get(mark) for mark in _MARKS)
        or environment.get("TERM_PROGRAM") in _PROGRAMS
        or environment.get("TERM", "").startswith(_TERMS)
        or (vte.isdecimal() and int(vte) >= _FIRST_VTE)
    )
