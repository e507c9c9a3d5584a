"""Read the content of a checkpoint, without running anything in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.callables import installed_imports_alone
from retspec.subjects.checkpoints.archives import stored_bytes
from retspec.subjects.checkpoints.inert import stand_in
from retspec.subjects.checkpoints.memory_limit import at_most
from retspec.subjects.checkpoints.pickles import asked_names, data_allowed
from retspec.subjects.checkpoints.recognition import Format, recognise
from retspec.subjects.checkpoints.sets import tensors_of
from retspec.subjects.checkpoints.shards import require_complete
from retspec.subjects.checkpoints.strangers import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from retspec.subjects.checkpoints.files import File

_SLACK = 1 << 30
"""Bytes that reading needs besides the tensors: names, the state of libraries."""
_LONGEST_HEADER = 1 << 25
"""Bytes of a safetensors header; the library accepts three times as many, which take seconds and gigabytes."""
_MOST_TENSORS = 1 << 18
"""Largest number of names in a file; a mixture of experts with 671 billion weights has about 90,000."""


@dataclass(frozen=True)
class Contents:
    """The content of a file; its tensors are mapped from the file where the format allows that."""

    format: str
    value: Any
    room: int
    """Bytes of the file that can hold tensors: no tensor is larger."""

    def require_room(self, tensors: Mapping[str, Tensor], file: File) -> None:
        """Raise SubjectError when a tensor claims more bytes than the file can hold."""
        for name, tensor in tensors.items():
            size = tuple(tensor.shape)  # not a method such as numel, which a pickle could have replaced by an attribute
            if not tensor.is_meta and math.prod(size) * tensor.dtype.itemsize > self.room:
                raise file.refused(f"is damaged: {name} has the shape {size}, which is more than the file holds")


@installed_imports_alone()
def read(file: File) -> Contents:
    """Return the content of a file.

    Raises SubjectError when it cannot be read safely.
    """
    if file.parts:
        return _joined(file)
    kind = recognise(file)
    room = stored_bytes(file) if kind is Format.ARCHIVE else file.size
    try:
        with at_most(2 * file.size + _SLACK):
            value = _read_safetensors(file) if kind is Format.SAFETENSORS else _read_pickle(file, kind)
    except SubjectError:
        raise
    except Exception as error:
        raise file.refused(_why_unreadable(error, file)) from error
    return Contents(kind.value, value, room)


def _joined(file: File) -> Contents:
    """Return what is in the shards of an index, as if it were in one file."""
    contents = [read(part) for part in file.parts]
    tensors = {name: tensor for each in contents for name, tensor in tensors_of(each.value).items()}
    require_complete(file, tensors)
    kinds = ", ".join(dict.fromkeys(each.format for each in contents))
    return Contents(f"{kinds}, {len(contents)} shards", tensors, max(each.room for each in contents))


def _read_safetensors(file: File) -> dict[str, Any]:
    import torch
    from safetensors import safe_open

    length = int.from_bytes(file.head()[:8], "little")
    if length > _LONGEST_HEADER:
        raise file.refused(f"is damaged: its header has {length:,} bytes, and no model needs so many")
    # safetensors 0.4 makes its tensors on torch's default device, which is meta where a model is built without weights.
    with torch.device("cpu"), safe_open(file.path, framework="pt", device="cpu") as opened:
        names = opened.keys()
        if len(names) > _MOST_TENSORS:
            raise file.refused(f"is damaged: its header names {len(names):,} tensors, and no model has so many")
        return {name: opened.get_tensor(name) for name in names}


def _read_pickle(file: File, kind: Format) -> Any:
    import torch

    names = asked_names(file, kind)
    if strangers := [name for name in names if stand_in(name) is None]:
        raise file.refused(refusal(file, kind, strangers))
    # Not `torch.load`: training scripts replace it by one that passes `weights_only=False`.
    with data_allowed(names):
        return torch.serialization.load(file.path, weights_only=True, map_location="cpu", mmap=kind is Format.ARCHIVE)


def _why_unreadable(error: Exception, file: File) -> str:
    sentence = _sentence(error)
    if isinstance(error, MemoryError) or "allocate memory" in sentence:
        return f"needs more memory to be read than there is, or than a file of {file.size:,} bytes may ask for"
    if "Unsupported operand" in sentence:
        return "has a pickle that safe loading does not read; save it with torch.save's own protocol, or as safetensors"
    if "unsupported global" in str(error).lower():  # outside the saved object
        return "asks for more than weights in the pickles around them, which could run code and is never given"
    return f"is damaged, or cut off: {sentence}"


def _sentence(error: Exception) -> str:
    """Return the message of torch, without its advice to load the file unsafely."""
    text = str(error).rpartition("WeightsUnpickler error:")[2]
    advice = ("weights_only", "Weights only load failed")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not any(part in line for part in advice)]
    return lines[0] if lines else f"reading it raised {type(error).__name__}"
