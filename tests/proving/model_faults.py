"""The faults of retspec that are planted into a model."""

from __future__ import annotations

from retspec.plugins.catalog import gather
from retspec.plugins.kinds import MODEL

MODEL_FAULTS = {name: each for name, each in gather(entry_points=False).faults.items() if each.part == MODEL}
