"""Write files so that they are complete at every moment."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

MOST_OF_A_NAME = 200
"""Characters of a file's name in the name of its temporary file, which must not become too long for the system."""


def replace_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that readers never see half of it; its permissions stay as they are.

    Raises OSError if it cannot be written, and for what is not a file.
    """
    temporary = None
    try:
        target = _replaceable(path)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:MOST_OF_A_NAME]}.")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    finally:  # after an interruption too
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


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
