"""Give parts of a file back to the disk, without a change of its length."""

from __future__ import annotations

import sys
from typing import IO

_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02


def punch_hole(file: IO[bytes], start: int, end: int) -> bool:
    """Free the blocks of a file from one byte to another, which then reads as zeros; return whether that was done.

    Linux alone can do it, on most of its file systems (https://man7.org/linux/man-pages/man2/fallocate.2.html).
    """
    if end <= start or sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - takes milliseconds, and most runs print little

    libc = ctypes.CDLL(None, use_errno=True)
    length = ctypes.c_int64(end - start)
    status: int = libc.fallocate64(file.fileno(), _KEEP_SIZE | _PUNCH_HOLE, ctypes.c_int64(start), length)
    return status == 0
