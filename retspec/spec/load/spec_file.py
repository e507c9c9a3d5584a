"""The file of a spec, as text."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from retspec.errors import Mark, Problem, SpecError, UsageError, did_you_mean
from retspec.regular_files import read_regular

MAX_BYTES = 1 << 20
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""How files of wider encodings begin; UTF-32-LE begins like UTF-16-LE."""


def read(file: str, kind: str = "spec") -> str:
    """Return the text of a spec, or of another kind of file, which messages then name.

    Raises `UsageError` for a path that cannot be read, `SpecError` for more than 1 MiB and for other
    encodings than UTF-8.
    """
    _require_utf8(file)
    content = _content(Path(file), kind)
    if content is None:
        raise SpecError([Problem(Mark(file, 1, 1), f"the file is larger than 1 MiB; is this a {kind}?")])
    if content.startswith(_WIDE) or b"\0" in content[:4]:
        raise SpecError([Problem(Mark(file, 1, 1), "the file is UTF-16 or UTF-32; save it as UTF-8")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].decode().split("\n")
        mark = Mark(file, len(lines), len(lines[-1]) + 1)
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise SpecError([Problem(mark, message)]) from None
    if kind == "spec":
        _require_readable(file, text)
    return text


_DECEIVING = re.compile("\r(?!\n)|[\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Line breaks that only YAML sees, so that what looks like a comment is none, and controls that reorder what is shown.

YAML 1.1 breaks lines at U+0085, U+2028 and U+2029, YAML 1.2 does not (section 5.4, https://yaml.org/spec/1.2.2/).
CVE-2021-42574 is about the others.
"""


def _require_readable(file: str, text: str) -> None:
    """Refuse characters for which a reviewer sees another spec than is read."""
    found = _DECEIVING.search(text)
    if found is None:
        return
    lines = text[: found.start()].split("\n")
    what = "a line break" if found[0] in "\r\x85\u2028\u2029" else "a control of the direction of text"
    message = f"the character U+{ord(found[0]):04X}, {what} that a reviewer does not see, is not allowed"
    raise SpecError([Problem(Mark(file, len(lines), len(lines[-1]) + 1), message)])


def folder_of(file: str) -> Path:
    """Return the folder that paths in a file are relative to: that of the file itself, where it is a link."""
    path = Path(file)
    return path.resolve().parent if path.is_symlink() else path.parent


def _require_utf8(file: str) -> None:
    """Refuse a path that no report and no message to the worker can hold."""
    try:
        str(Path(file).absolute()).encode()
    except UnicodeEncodeError:
        raise UsageError(f"the path {file!r} is not UTF-8; rename the file or its folder") from None


def _content(path: Path, kind: str) -> bytes | None:
    try:
        return read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file{did_you_mean(path.name, _siblings(path))}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a directory; name a {kind} in it{_example(path)}") from None
    except (OSError, ValueError) as error:  # a ValueError means a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{str(path)!r} cannot be read: {reason}") from None


def _siblings(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.parent.glob("*.y*ml")]
    except OSError:
        return []


def _example(folder: Path) -> str:
    found = sorted(_siblings(folder / "any"))
    return f", such as {folder / found[0]}" if found else ""
