"""Limit the memory that reading a file may take."""

from __future__ import annotations

import resource
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def at_most(more: int) -> Iterator[None]:
    """Let this process allocate at most `more` bytes beyond what it has, by RLIMIT_DATA; on Linux only.

    A pickle may ask for a tensor of any size without its numbers, or grow a short list without bound. See
    https://man7.org/linux/man-pages/man2/getrlimit.2.html
    """
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (soft, hard, _taken() + more) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _taken() -> int:
    """Return the bytes that RLIMIT_DATA counts for this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    return pages * resource.getpagesize()
