"""The built-in measurements: facts about the subject, made once and shared. A new file is discovered, not listed.

torch, timm and peft are imported inside functions: the command line imports these modules to plan, the worker to run.
"""

from __future__ import annotations

import sys

from retspec.plugin import Measurement, discover, hookimpl


@hookimpl
def retspec_measurements() -> list[Measurement]:
    """Offer every measurement below this package."""
    return discover(sys.modules[__name__], Measurement)
