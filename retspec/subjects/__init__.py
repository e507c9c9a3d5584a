"""Build the subject under test: the model, its adapter, its data and its training.

Everything here runs in the worker. torch, timm and peft are imported inside functions, since the command line imports
these modules to list the sources.
"""

from __future__ import annotations

import sys

from retspec.plugin import Source, discover, hookimpl


@hookimpl
def retspec_model_sources() -> list[Source]:
    """Return the built-in sources of models, the keys under `model:`."""
    return [source for source in discover(sys.modules[__name__], Source) if source.kind == "model"]


@hookimpl
def retspec_data_sources() -> list[Source]:
    """Return the built-in sources of data, the keys under `data:`."""
    return [source for source in discover(sys.modules[__name__], Source) if source.kind == "data"]


@hookimpl
def retspec_training_sources() -> list[Source]:
    """Return the built-in training, the recipe."""
    return [source for source in discover(sys.modules[__name__], Source) if source.kind == "train"]
