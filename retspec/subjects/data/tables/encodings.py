"""The text of a table: by a byte order mark, as UTF-8, or as what the spec says."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from retspec.errors import SubjectError
from retspec.subjects.data.tables.table import ENCODINGS

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The longer marks of UTF-32 begin like those of UTF-16."""
_SEEN = 4096
"""Bytes that are looked at for zeros."""
_MANY, _FEW = 0.4, 0.02
"""Share of zeros in every second byte, and in the others, of a text in UTF-16 that is mostly ASCII."""


class Text(NamedTuple):
    """The text of a file, and how it was decoded."""

    text: str
    note: str = ""
    is_guessed: bool = False


def decoded(content: bytes, encoding: str | None, shown: str, path: str) -> Text:
    """Return the text of a file.

    Raises SubjectError at the place `path` in the spec for what is no text.
    """
    if encoding is not None:
        return Text(_as_said(content, encoding, shown, path))
    known = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _without_mark(content)
    if known is not None:
        name = known.removesuffix("-sig").upper()
        return Text(_as_said(content, known, shown, path), f"{shown} is read as {name}." if name != "UTF-8" else "")
    if b"\0" in content:
        raise SubjectError(f"{shown} cannot be read as a table: it is no text, since it has zero bytes", path=path)
    try:
        return Text(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _guessed(content, shown)


def _as_said(content: bytes, encoding: str, shown: str, path: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content.count(b"\n", 0, start) + 1
        raise SubjectError(
            f"{shown}:{line}: this is not {encoding}; say the table's `encoding`, {ENCODINGS}", path=path
        ) from error
    except LookupError as error:
        raise SubjectError(
            f"there is no text encoding {encoding!r}; Python knows many, {ENCODINGS}", path="data.csv.encoding"
        ) from error


def _without_mark(content: bytes) -> str | None:
    """Return which UTF-16 a text is that has no mark, by where its zeros are; None for any other."""
    start = content[: min(_SEEN, len(content) // 2 * 2)]
    zeros = [start[offset::2].count(0) / max(len(start) // 2, 1) for offset in (0, 1)]
    if zeros[1] > _MANY and zeros[0] < _FEW:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > _MANY and zeros[1] < _FEW else None


def _guessed(content: bytes, shown: str) -> Text:
    """Return a text of which ASCII alone is certain."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return Text(text, f"{shown} is not UTF-8; the columns in use are ASCII, in which encodings agree.", is_guessed=True)
