"""The built-in checks: one question per file, in families. A new file is discovered, not listed."""

from __future__ import annotations

import sys

from retspec.plugin import Check, discover, hookimpl


@hookimpl
def retspec_checks() -> list[Check]:
    """Offer every check below this package."""
    return discover(sys.modules[__name__], Check)
