"""The score of a proof as a badge: the endpoint schema of shields.io, https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.records import Proof

_COLOURS = ((0.9, "brightgreen"), (0.75, "yellow"), (0.0, "red"))
"""From this share of noticed faults on."""


def badge(proof: Proof) -> str:
    """Return the JSON of a badge: how many of the faults are noticed, and whether the gate flips."""
    flips = f", flips {proof.flips.flipped} of {proof.flips.runs}" if proof.flips else ""
    colour = next(name for least, name in _COLOURS if proof.share >= least)
    content = {
        "schemaVersion": 1,
        "label": "faults noticed",
        "message": f"{len(proof.noticed)} of {len(proof.planted)}{flips}",
        "color": "red" if proof.flips and proof.flips.flipped else colour,
    }
    return json.dumps(content, indent=2) + "\n"
