"""Read a table: recognise what the file is, and give it to the reader of that format."""

from __future__ import annotations

import gzip
import lzma
import zlib
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe
from retspec.regular_files import read_regular
from retspec.subjects.data.tables.delimited import delimited
from retspec.subjects.data.tables.encodings import decoded
from retspec.subjects.data.tables.frames import frame_table
from retspec.subjects.data.tables.json_records import json_table, looks_like_json
from retspec.subjects.data.tables.kinds import extra_kind, foreign_kind, unwrapped
from retspec.subjects.data.tables.table import Dialect, Table

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1 << 29
"""Bytes of a table, unpacked; one of half a million rows has about 20 MB."""
_PLAIN = Dialect()


def read_table(file: Path, shown: str, dialect: Dialect = _PLAIN, *, path: str) -> Table:
    """Read a table; what it is shows in its bytes, whatever its suffix.

    Raises SubjectError at the place `path` in the spec for a file that is missing, empty or not a table.
    """
    content = content_of(file, shown, path)
    if kind := extra_kind(content):
        return frame_table(content, kind, dialect, shown, path)
    if kind := foreign_kind(content):
        raise SubjectError(f"{shown} cannot be read as a table: it is {kind}", path=path)
    text = decoded(content, dialect.encoding, shown, path)
    if looks_like_json(text.text):
        return json_table(text, shown, path)
    return delimited(text, dialect, shown, path)


def content_of(file: Path, shown: str, path: str) -> bytes:
    """Return the bytes of a table, unpacked.

    Raises SubjectError at the place `path` in the spec for a file that is missing, damaged or too large.
    """
    try:
        content = read_regular(file, LARGEST)
        inner = None if content is None else unwrapped(content, LARGEST)
    except FileNotFoundError as error:
        raise SubjectError(f"there is no file {shown!r} beside the spec ({file})", path=path) from error
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise SubjectError(f"{shown} is compressed, and damaged or cut off; copy it again", path=path) from error
    except (OSError, ValueError) as error:
        raise SubjectError(f"{shown} cannot be read as a table: {describe(error)}", path=path) from error
    if inner is None:
        raise SubjectError(f"{shown} cannot be read as a table: it is larger than {LARGEST >> 20} MiB", path=path)
    return inner
