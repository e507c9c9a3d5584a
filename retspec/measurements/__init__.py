"""The built-in measurements: each is made once and shared by the checks. New files are discovered, not listed.

Import torch, timm and peft inside functions: the command line imports these modules too, to plan a run.
"""

from __future__ import annotations

import sys

from retspec.plugin import Measurement, discover, hookimpl


@hookimpl
def retspec_measurements() -> list[Measurement]:
    """Return every measurement in this package."""
    return discover(sys.modules[__name__], Measurement)
