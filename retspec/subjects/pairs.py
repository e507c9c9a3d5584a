"""Finding inputs and targets in whatever a data source or a loader takes for a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError

if TYPE_CHECKING:
    from torch import Tensor

INPUT_KEYS = ("pixel_values", "image", "images", "input", "inputs", "x")
TARGET_KEYS = ("labels", "label", "target", "targets", "y")


def pair_of(batch: Any, giver: str, *, path: str) -> tuple[Tensor, Tensor]:
    """Return inputs and targets, each (batch, ...), of a tuple that begins with them, a mapping, or a record.

    giver: what gave the batch, for messages.

    Raises SubjectError, naming the place `path` in the spec, for anything else.
    """
    import torch

    if isinstance(batch, (tuple, list)) and len(batch) >= 2:  # noqa: PLR2004 - what follows the pair is not looked at
        inputs, targets = batch[0], batch[1]
    elif named := dict(batch) if isinstance(batch, Mapping) else getattr(batch, "__dict__", None):
        inputs, targets = (_pick(named, keys, batch, giver, path) for keys in (INPUT_KEYS, TARGET_KEYS))
    else:
        raise SubjectError(
            f"{giver} gave {type(batch).__name__}; a batch is a pair (inputs, targets), a mapping or a record",
            path=path,
        )
    for name, value in (("inputs", inputs), ("targets", targets)):
        if not isinstance(value, torch.Tensor):
            raise SubjectError(f"{giver}: {name} are {type(value).__name__}, not a tensor", path=path)
    if len(inputs) == 0 or len(inputs) != len(targets):
        raise SubjectError(f"{giver}: {len(inputs)} inputs and {len(targets)} targets make no batch", path=path)
    return inputs, targets


def _pick(named: Mapping[str, Any], keys: tuple[str, ...], batch: Any, giver: str, path: str) -> Any:
    for key in keys:
        if key in named:
            return named[key]
    kind = "a mapping with the keys" if isinstance(batch, Mapping) else f"{type(batch).__name__} with the attributes"
    raise SubjectError(
        f"{giver} gave {kind} {', '.join(map(str, named))}; one of {', '.join(keys)} is needed", path=path
    )
