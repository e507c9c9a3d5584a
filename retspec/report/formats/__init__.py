"""The output formats of a report, one per file; a new file is discovered, not listed."""

from __future__ import annotations

import sys

from retspec.plugin import Reporter, discover, hookimpl


@hookimpl
def retspec_reporters() -> list[Reporter]:
    """Return the built-in reporters."""
    return discover(sys.modules[__name__], Reporter)
