"""Write files so that they are complete at every moment."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

MOST_OF_A_NAME = 200
"""Characters of a file's name in the name of its temporary file, which must not become too long for the system."""
_RANDOM = 8
"""Characters that `mkstemp` adds."""


def replace_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that readers never see half of it; its permissions stay as they are.

    Raises OSError if it cannot be written, and for what is not a file.
    """
    temporary = None
    try:
        target = _replaceable(path)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=_beginning(target))
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    finally:  # after an interruption too
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def remove_halves(path: Path) -> None:
    """Remove what processes have left that were killed while they replaced a file; nobody may be replacing it now."""
    begins = _beginning(path)
    for half in path.parent.iterdir():
        if half.name.startswith(begins) and len(half.name) == len(begins) + _RANDOM:
            with suppress(OSError):
                half.unlink()


def _beginning(target: Path) -> str:
    """Return how the names of a file's temporary files begin."""
    return f".{target.name[:MOST_OF_A_NAME]}."


def _replaceable(path: Path) -> Path:
    """Return the file to replace, with symbolic links resolved; its folder is created.

    Raises OSError for what is not a file: root could replace `/dev/null` by a report.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "it is not a regular file, and would be replaced")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    return target
