"""RETFound and RETFound_Green for retspec: their models, checks of what goes wrong with them, transforms, samples.

Fine-tuning a retinal foundation model fails silently in many ways: weights that never arrive, features taken from the
wrong token, images normalized as for another backbone. Each of them is a verdict here.
"""

from __future__ import annotations

import sys

from retspec.plugin import Check, Measurement, Source, discover, hookimpl

RETSPEC_API = 1


@hookimpl
def retspec_model_sources() -> list[Source]:
    """Offer `model: {retfound: ...}`."""
    return discover(sys.modules[__name__], Source)


@hookimpl
def retspec_measurements() -> list[Measurement]:
    """Offer the measurements of a checkpoint's layout and a model's tail."""
    return discover(sys.modules[__name__], Measurement)


@hookimpl
def retspec_checks() -> list[Check]:
    """Offer the checks."""
    return discover(sys.modules[__name__], Check)
