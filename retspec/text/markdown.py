"""Escape untrusted text for GitHub-flavoured Markdown, and write tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retspec.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"[\\`*\[\]<>|~&$#]|(?<!\w)_|_(?!\w)")
"""What could begin markup; an underscore inside a word cannot."""


def escaped(text: str) -> str:
    """Return a text on one line that Markdown shows as it is, inside a table too."""
    return _SPECIAL.sub(r"\\\g<0>", one_line(text))


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; its cells are escaped here."""
    return [_line(headers), _line(["---"] * len(headers)), *(_line([*map(escaped, row)]) for row in rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
