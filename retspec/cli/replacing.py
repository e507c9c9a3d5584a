"""What a command may replace that is neither a report nor given with `--force`: a file like the one that it writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retspec.errors import UsageError
from retspec.regular_files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 64 << 20
"""Bytes that a schema or a baseline is far below."""


def require_replaceable(path: Path, kind: str, *, without: str = "") -> None:
    """Raise UsageError for a file that is there and cannot be an earlier one of the same kind.

    kind: what is written. Both kinds, schemas and baselines, are JSON objects.
    without: a key that such an object does not have.
    """
    try:
        content = read_regular(path, _MOST)
        found = None if content is None else json.loads(content)
    except OSError:  # nothing is there, or what the writing itself reports: a folder, a device
        return
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or without in found:
        raise UsageError(f"{path} exists and is no {kind}; it would be lost: remove it first, or write elsewhere")
