"""Facts about a checkpoint that was loaded into the model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ShapeMismatch:
    """A tensor that has its name in the model, and another shape."""

    name: str
    in_file: tuple[int, ...]
    in_model: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What was taken from a checkpoint, and what was left; names are those of the model, before an adapter wraps it."""

    file: str
    """The path as it stands in the spec."""
    fill: bool = True
    """Whether the file was loaded; else the model was only held against it, and "loaded" means "equal to the file"."""
    format: str
    wrapper: str
    """The key of the file under which the weights were found: `model`; empty when they are at its top."""
    prefixes: tuple[str, ...]
    """What was taken off the front of the names, in that order."""
    missing: tuple[str, ...]
    """Names of the model that the file lacks."""
    unexpected: tuple[str, ...]
    """Names of the file, without these prefixes, that the model lacks."""
    mismatches: tuple[ShapeMismatch, ...]
    """Not loaded."""
    unusable: tuple[str, ...]
    """Not loaded either, of the right shape, each with its reason: `head.weight (int8 for float32)`."""
    resampled: tuple[str, ...]
    """Loaded in another shape than they have in the file, such as position embeddings."""
    loaded_elements: int
    model_elements: int
    """Elements of all parameters and persistent buffers."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint in the model that it was loaded into, as wrapped for training."""

    loading: Loading
    nonfinite: tuple[str, ...]
    """Loaded tensors that hold NaN or infinity."""
    compared: int
    """Frozen tensors that were held against the file."""
    altered: tuple[str, ...]
    """Those of them that are no longer what the file says, bit by bit in the model's dtype."""
