"""What retspec offers by itself: its sources of models and data, and its training."""

from __future__ import annotations

from retspec.plugin import Source, discover, hookimpl
from retspec.subjects.data import sources as data_sources
from retspec.subjects.models import sources as model_sources
from retspec.subjects.training import sources as training_sources


@hookimpl
def retspec_model_sources() -> list[Source]:
    """Return the built-in sources of models, the keys under `model:`."""
    return discover(model_sources, Source)


@hookimpl
def retspec_data_sources() -> list[Source]:
    """Return the built-in sources of data, the keys under `data:`."""
    return discover(data_sources, Source)


@hookimpl
def retspec_training_sources() -> list[Source]:
    """Return the built-in training, the recipe."""
    return discover(training_sources, Source)
