"""What scripts save beside weights, and what takes its place while a file is read: nothing of it is ever called.

torch's safe loading takes a name of a pickle for what it is allowed to mean. For these names it gets an object that
ignores everything, so that a numpy number or a path keeps no one from the weights beside it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Self


class Inert:
    """In the place of any value: takes everything, and does nothing."""

    def __new__(cls, *_args: object) -> Self:
        """Ignore what it would be made of."""
        return super().__new__(cls)

    def __init__(self, *_args: object) -> None:
        """Ignore what it would be made of."""

    def __setstate__(self, _state: object) -> None:
        """Ignore what it would hold."""


class Array(Inert):
    """In the place of a numpy array, which may be what a file has instead of weights."""


class Mapped:
    """In the place of a class derived from dict: what it makes is a plain mapping."""

    def __new__(cls, *_args: object) -> Any:
        """Return an empty mapping that takes items, and a state that is a mapping."""
        return OrderedDict()


class Listed:
    """In the place of a class derived from list: what it makes is a plain list."""

    def __new__(cls, *_args: object) -> Any:
        """Return an empty list."""
        return []


_PACKAGES = ("omegaconf.", "pathlib.", "datetime.", "numpy.dtypes.", "typing.", "uuid.", "decimal.", "fractions.")
"""Packages all of whose classes are plain data: paths, dates, numbers, and the configurations of OmegaConf."""
_NUMPY = ("numpy.core.multiarray.", "numpy._core.multiarray.")
_INERT = frozenset(
    {
        *(f"{module}{name}" for module in _NUMPY for name in ("scalar",)),
        *("numpy.dtype", "numpy.random._pickle.__randomstate_ctor", "torch.torch_version.TorchVersion"),
        *(f"builtins.{name}" for name in ("int", "float", "str", "bool", "bytes", "object", "range", "slice", "dict")),
        *("builtins.list", "builtins.tuple", "builtins.frozenset", "types.SimpleNamespace", "torch.Generator"),
    }
)
_ARRAYS = frozenset({*(f"{module}_reconstruct" for module in _NUMPY), "numpy.ndarray"})
_MAPPINGS = frozenset(
    {
        *("collections.defaultdict", "lightning_fabric.utilities.data.AttributeDict"),
        *("lightning.fabric.utilities.data.AttributeDict", "pytorch_lightning.utilities.parsing.AttributeDict"),
        *("yacs.config.CfgNode", "fvcore.common.config.CfgNode", "detectron2.config.config.CfgNode"),
        *("easydict.EasyDict", "addict.addict.Dict", "mmengine.config.config.ConfigDict", "munch.Munch"),
        *("mmcv.utils.config.ConfigDict", "ml_collections.config_dict.config_dict.ConfigDict"),
    }
)
_LISTS = frozenset({"collections.deque"})


def stand_in(name: str) -> type | None:
    """Return what takes the place of a name of a pickle; None for one that could be more than data."""
    if name in _ARRAYS:
        return Array
    if name in _MAPPINGS:
        return Mapped
    if name in _LISTS:
        return Listed
    return Inert if name in _INERT or name.startswith(_PACKAGES) else None
