"""Say why a file has no weights that could be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from retspec.subjects.checkpoints.inert import Array
from retspec.text.wording import listing

if TYPE_CHECKING:
    from retspec.subjects.checkpoints.files import File


def no_weights(value: Any, file: File) -> str:
    """Return what the content of a file is that has no named tensors, and what to do."""
    if (key := _key_of_arrays(value)) is not None:
        weights = f"w[{key!r}]" if key else "w"
        target = str(PurePath(file.name).with_name(f"{PurePath(file.name).stem}-weights.pth"))
        return (
            "holds numpy arrays, not tensors; where you trust the file, two lines write them again: "
            f"`import torch; w = torch.load({file.name!r}, weights_only=False)` and "
            f"`torch.save({{k: torch.from_numpy(v) for k, v in {weights}.items()}}, {target!r})`"
        )
    if not isinstance(value, Mapping):
        return f"holds no named weights but a value of type {type(value).__name__}; save the state_dict of the model"
    keys = listing([str(key) for key in value]) or "none"
    return f"has no named weights at its top, nor under a key of it; its keys are {keys}"


def _key_of_arrays(value: Any) -> str | None:
    """Return the key under which arrays are, empty for the top; None where there are none."""
    held = {"": value, **value} if isinstance(value, Mapping) else {}
    arrays = (key for key, each in held.items() if isinstance(each, Mapping) and any(map(_is_array, each.values())))
    return next(arrays, None)


def _is_array(value: Any) -> bool:
    return isinstance(value, Array)
