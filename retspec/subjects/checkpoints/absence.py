"""Say why a file has no weights that could be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retspec.subjects.checkpoints.inert import Array
from retspec.text.wording import listing


def no_weights(value: Any) -> str:
    """Return what the content of a file is that has no named tensors, and what to do."""
    if isinstance(value, Array) or _holds_arrays(value):
        return (
            'holds numpy arrays, not tensors; write them again: `python -c "import torch; w = torch.load(FILE, '
            "weights_only=False); torch.save({k: torch.from_numpy(v) for k, v in w.items()}, 'weights.pth')\"`"
        )
    if not isinstance(value, Mapping):
        return f"holds no named weights but a value of type {type(value).__name__}; save the state_dict of the model"
    keys = listing([str(key) for key in value]) or "none"
    return f"has no named weights at its top, nor under a key of it; its keys are {keys}"


def _holds_arrays(value: Any) -> bool:
    held = [value, *value.values()] if isinstance(value, Mapping) else []
    return any(isinstance(each, Array) for mapping in held if isinstance(mapping, Mapping) for each in mapping.values())
