"""What a file is by its bytes, whatever its name says."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WRAPPED: Mapping[bytes, Callable[[BytesIO], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    b"\x1f\x8b": lambda packed: gzip.GzipFile(fileobj=packed),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
PARQUET, ARROW, EXCEL = "Parquet", "Arrow", "an Excel workbook"
READ_BY_EXTRA = (
    (b"PAR1", PARQUET),
    (b"ARROW1", ARROW),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", EXCEL),
)
_OTHERS = (
    (b"\x80\x02", "a pickle, which runs code when it is read; save the table as CSV"),
    (b"\x80\x03", "a pickle, which runs code when it is read; save the table as CSV"),
    (b"\x80\x04", "a pickle, which runs code when it is read; save the table as CSV"),
    (b"\x80\x05", "a pickle, which runs code when it is read; save the table as CSV"),
    (b"\x89HDF", "an HDF5 file; save the table as CSV"),
    (b"\x93NUMPY", "an array of NumPy; save it as CSV"),
    (b"MATLAB ", "a file of MATLAB; save the table as CSV"),
    (b"SQLite format 3\0", "a database of SQLite; save the table as CSV"),
    (b"%PDF", "a PDF; save the table as CSV"),
    (b"{\\rtf", "a text of a word processor; save the table as CSV"),
    (b"Rar!", "a RAR archive; unpack it and name the table in it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it and name the table in it"),
    (b"(\xb5/\xfd", "compressed by zstd; unpack it"),
    (b"Feather", "Feather of the first version; save the table as CSV"),
    (b"FEA1", "Feather of the first version; save the table as CSV"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\0", "an image (TIFF)"),
    (b"MM\0*", "an image (TIFF)"),
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS in place of the table; `git lfs pull` fetches it",
    ),
)
_HTML = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<\?xml|<table|<!--)", re.IGNORECASE)
_TAR = 257
"""Where a tar archive says what it is."""


def unwrapped(content: bytes, most: int) -> bytes | None:
    """Return what is in a file of gzip, bzip2 or xz; any other content as it is; None for more than so many bytes.

    Raises OSError, EOFError or LZMAError for a damaged file.
    """
    opener = next((opener for magic, opener in _WRAPPED.items() if content.startswith(magic)), None)
    if opener is None:
        return content
    with opener(BytesIO(content)) as stream:
        inner = stream.read(most + 1)
    return None if len(inner) > most else inner


def extra_kind(content: bytes) -> str:
    """Return what a file is that the extra reads; empty for any other."""
    if content.startswith(b"PK\x03\x04"):
        names = _in_archive(content)
        is_book = "xl/workbook.xml" in names or "xl/workbook.bin" in names or "content.xml" in names
        return EXCEL if is_book else ""
    return next((kind for magic, kind in READ_BY_EXTRA if content.startswith(magic)), "")


def foreign_kind(content: bytes) -> str:
    """Return what a file is that is no table, with what to do; empty where it may be one."""
    if content.startswith(b"PK\x03\x04"):
        names = _in_archive(content)
        return f"a zip archive of {listing(names) if names else 'unknown content'}; unpack it and name the table in it"
    if content[_TAR : _TAR + 5] == b"ustar":
        return "a tar archive; unpack it and name the table in it"
    if _HTML.match(content[:512]):
        return "a page of HTML or XML, as a failed download or an export leaves; save the table as CSV"
    return next((kind for magic, kind in _OTHERS if content.startswith(magic)), "")


def _in_archive(content: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return []
