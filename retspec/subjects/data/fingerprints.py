"""Recognise samples: a fingerprint of whatever a dataset or a loader gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from numbers import Number
from typing import Any

from retspec.errors import Inconclusive


def content_of(value: Any) -> str:
    """Return a fingerprint of tensors, arrays, images, texts and numbers, alone or in containers and records.

    Two values have the same one when their kind, shape and bytes are equal, NaN included.

    Raises Inconclusive for an object of another kind: what is in it is not known.
    """
    digest = blake2b(digest_size=16)
    for part in _parts(value):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    import torch

    if isinstance(value, torch.Tensor):
        yield f"tensor {value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    elif hasattr(value, "tobytes"):  # an array of numpy, an image of PIL
        stated = [getattr(value, name, None) for name in ("dtype", "shape", "mode", "size")]
        yield f"{type(value).__name__} {stated}".encode()
        yield value.tobytes()
    elif value is None or isinstance(value, (str, bytes, Number)):
        yield repr(value).encode()
    elif isinstance(value, (Mapping, Sequence)):
        yield f"{len(value)} entries".encode()
        for entry in value.items() if isinstance(value, Mapping) else value:
            yield from _parts(entry)
    elif fields := getattr(value, "__dict__", None):
        yield from _parts(fields)
    else:
        raise Inconclusive(f"an item holds {type(value).__name__}, whose content is not known")
