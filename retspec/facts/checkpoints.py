"""Facts about a checkpoint that was loaded into the model."""

from __future__ import annotations

from msgspec import Struct


class ShapeMismatch(Struct, frozen=True, kw_only=True):
    """A tensor whose name is in the model, with a different shape."""

    name: str
    in_file: tuple[int, ...]
    """Its shape in the file, as torch gives it: `(5, 1024)`."""
    in_model: tuple[int, ...]
    """Its shape in the model."""


class ModuleCoverage(Struct, frozen=True):
    """How much of one module came from the file."""

    name: str
    """A module at the top of the model, or one of a numbered list: `blocks.3`."""
    elements: int
    """Elements of its parameters and persistent buffers."""
    loaded: int
    """Elements of these that came from the file."""


class Loading(Struct, frozen=True, kw_only=True):
    """What was loaded from a checkpoint and what was not. Names are those of the model before an adapter wraps it."""

    file: str
    """The path as written in the spec."""
    fill: bool = True
    """Whether the file was loaded. If not, the model was compared with it, and "loaded" means "equal to the file"."""
    format: str
    wrapper: str
    """The key of the file under which the weights were found: `model`; empty when they are at its top."""
    prefixes: tuple[str, ...]
    """Prefixes that were removed from the names, in this order."""
    missing: tuple[str, ...]
    """Names of the model that the file lacks."""
    unexpected: tuple[str, ...]
    """Names of the file, after removing the prefixes, that the model lacks."""
    mismatches: tuple[ShapeMismatch, ...]
    """Tensors that were not loaded because their shape differs."""
    unusable: tuple[str, ...]
    """Tensors of the right shape that were not loaded, each with the reason: `head.weight (int8 for float32)`."""
    resampled: tuple[str, ...]
    """Names of tensors that were loaded in a different shape from the file's, such as position embeddings."""
    loaded_elements: int
    """Elements of the model that came from the file."""
    model_elements: int
    """Elements of all parameters and persistent buffers of the model."""
    modules: tuple[ModuleCoverage, ...] = ()
    """The same by module, in the order of the model; empty in results of an earlier retspec."""
    added: str = ""
    """What was put in front of the file's names, because the model keeps the network in an attribute: `backbone.`"""
    others: tuple[str, ...] = ()
    """Other sets of weights in the file that fit as well, in words: `under the key 'state_dict'`."""
    dtypes: dict[str, int] = {}
    """How many of the floating-point tensors that fit have which dtype in the file."""
    notes: tuple[str, ...] = ()
    """What a reader should know of the file whatever was asked, in whole sentences."""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A checkpoint and the model that it was loaded into, as wrapped for training."""

    loading: Loading
    nonfinite: tuple[str, ...]
    """Names of the loaded tensors that hold NaN or infinity."""
    compared: int
    """Number of frozen tensors that were compared with the file."""
    altered: tuple[str, ...]
    """Names of those that differ from the file, bit by bit in the model's dtype."""
