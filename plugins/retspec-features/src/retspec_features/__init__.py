"""retspec checks on the features that the backbone passes to the head.

A head can only distinguish what its features distinguish. A checkpoint that was not loaded, a layer that swallows its
input or a dead activation shows here after one forward pass, before any training.
"""

from __future__ import annotations

import sys

from retspec.plugin import Check, Measurement, Source, discover, hookimpl


@hookimpl
def retspec_checks() -> list[Check]:
    """Offer the three checks."""
    return discover(sys.modules[__name__], Check)


@hookimpl
def retspec_measurements() -> list[Measurement]:
    """Offer the measurement that they share."""
    return discover(sys.modules[__name__], Measurement)


@hookimpl
def retspec_data_sources() -> list[Source]:
    """Offer images that differ in a known way."""
    return discover(sys.modules[__name__], Source)
