"""Read a file of an image: its bytes, whether it decodes, and a look at its pixels."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from retspec.regular_files import read_content
from retspec.subjects.data.looking import Look, look, look_at_luma

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.regular_files import Part

_DICOM = 128
"""Where a file of DICOM says so: https://dicom.nema.org/medical/dicom/current/output/html/part10.html#sect_7.1"""
_OTHERS = {
    b"<!doctype html": "it is a page of HTML, as a failed download leaves",
    b"<html": "it is a page of HTML, as a failed download leaves",
    b"version https://git-lfs": "it is a pointer of Git LFS, not the image; `git lfs pull` fetches it",
    b"pk\x03\x04": "it is a zip archive",
    b"\x1f\x8b": "it is compressed by gzip",
    b"\x93numpy": "it is an array of NumPy",
}
"""First bytes, in lower case, of what images are mistaken for."""
LARGEST = 1 << 30
"""Bytes of a file that is read for an image; a sparse one may claim any size."""


class Seen(NamedTuple):
    """The result of reading one file."""

    digest: bytes | None
    """SHA-256 of its bytes; None if it cannot be read."""
    reason: str = ""
    """Why it is corrupt."""
    too_large: str = ""
    """How large it is, if it was not decoded for that."""
    pixels: int = 0
    look: Look | None = None
    """None if it is not decoded."""


class Reading(NamedTuple):
    """Reads files, and decodes those of at most so many pixels."""

    limit: int
    takes_luma: bool = False
    """Whether a JPEG is decoded without its colours where these show nothing more, in half the time.

    All of its data is read. Two files of other formats with the same pixels do not look quite the same then."""

    def of(self, path: str | Path | Part) -> Seen:
        """Read a file, or a part of one; a fault of it is in the result."""
        try:
            content = read_content(path, LARGEST)
        except FileNotFoundError:
            return Seen(None)
        except (OSError, ValueError, EOFError) as error:  # a ValueError means a NUL in the path
            return Seen(None, _named(error))
        if content is None:
            return Seen(None, f"it is larger than {LARGEST >> 30} GiB")
        digest = hashlib.sha256(content).digest()
        luma, needs_colours = (self.takes_luma and self._luma(content)) or (None, True)
        if luma and not needs_colours:
            return Seen(digest, pixels=luma.size[0] * luma.size[1], look=luma)
        return self._decoded(content, digest, luma)

    def _decoded(self, content: bytes, digest: bytes, luma: Look | None) -> Seen:
        """Look at all that an image holds; its grey levels are those of its luma where that was seen."""
        from PIL import Image

        try:
            with Image.open(BytesIO(content)) as image:
                pixels = image.width * image.height
                if pixels > self.limit:
                    return Seen(digest, too_large=f"{pixels / 1e6:,.0f} megapixels", pixels=pixels)
                image.load()
                found = look(image)
        except Exception as error:  # noqa: BLE001 - Pillow's decoders raise any exception on invalid bytes
            return Seen(digest, _foreign(content) or _without_address(_named(error)))
        if luma:
            found = found._replace(levels=luma.levels, is_of_luma=True)
        return Seen(digest, pixels=pixels, look=found)

    def _luma(self, content: bytes) -> tuple[Look, bool] | None:
        """Look at the luma of a JPEG in colour; None for any other file, and for one that does not decode."""
        from PIL import Image

        with suppress(Exception), Image.open(BytesIO(content)) as image:
            if image.format == "JPEG" and image.mode == "RGB" and image.width * image.height <= self.limit:
                image.draft("L", image.size)
                image.load()
                return look_at_luma(image)
        return None


def _named(error: Exception) -> str:
    from retspec.errors import named  # takes longer to import than all else that a process imports to read images

    return named(error)


def _foreign(content: bytes) -> str:
    """Return what a file is that is no image for Pillow, as a clause; empty where its bytes do not say."""
    if not content:
        return "the file is empty"
    if content[_DICOM : _DICOM + 4] == b"DICM":
        return "it is DICOM, which Pillow does not read"
    return next((kind for start, kind in _OTHERS.items() if content.lstrip().lower().startswith(start)), "")


def _without_address(reason: str) -> str:
    """Return an error of Pillow without the address of the buffer, which differs from run to run."""
    return reason.partition(" <_io.BytesIO")[0]
