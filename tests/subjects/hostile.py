"""Files that pretend to be checkpoints: built byte by byte, since no library writes them."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HUGE = 10**12


class Runs:
    """Unpickled in full trust, this makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def saved(value: Any, *, legacy: bool = False, **options: Any) -> bytes:
    """What torch.save writes."""
    import torch

    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not legacy, **options)
    return stream.getvalue()


def archive(records: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as opened:
        for name, content in records.items():
            opened.writestr(f"archive/{name}", content)
    return stream.getvalue()


def repacked(content: bytes) -> bytes:
    """The same archive, compressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        records = {name.partition("/")[2]: opened.read(name) for name in opened.namelist()}
    return archive(records, zipfile.ZIP_DEFLATED)


def claiming(numel: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """An archive with 16 bytes of storage, and a tensor that says something else about it."""
    pickled = b"".join(
        [
            b"\x80\x02}X\x06\0\0\0weightctorch._utils\n_rebuild_tensor_v2\n(",
            b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + _integer(numel) + b"tQ",
            _integer(offset) + _tuple(shape) + _tuple(stride),
            b"\x89ccollections\nOrderedDict\n)RtRs.",
        ]
    )
    return _with_data(pickled)


def asking_for(constructor: str, amount: int) -> bytes:
    """An archive whose pickle calls an allowed constructor with a number alone."""
    module, _, name = constructor.rpartition(".")
    return _with_data(
        f"\x80\x02}}X\x06\0\0\0weightc{module}\n{name}\n".encode("latin-1") + _integer(amount) + b"\x85Rs."
    )


def legacy_claiming(numel: int) -> bytes:
    """A legacy file whose storage is said to be large."""
    import torch

    content = saved({"weight": torch.zeros(2, 2)}, legacy=True)
    said = b"X\x03\x00\x00\x00cpuq"
    at = content.index(b"K\x04", content.index(said))
    return content[:at] + _integer(numel) + content[at + 2 :]


def legacy_with_facts(facts: Any) -> bytes:
    """A legacy file without weights; before them stands what its writer says about the machine."""
    magic = saved({}, legacy=True)[:15]
    return magic + b"".join(pickle.dumps(part, protocol=2) for part in (1001, facts, {}, []))


def safetensors(header: Mapping[str, Any] | bytes, data: bytes = b"\0" * 16, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape: tuple[int, ...], offsets: tuple[int, int] = (0, 16)) -> dict[str, Any]:
    return {"weight": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}


def naming(tensors: int) -> bytes:
    """A safetensors file of this many numbers, each a tensor of its own."""
    return safetensors(
        {str(n): {"dtype": "U8", "shape": [1], "data_offsets": [n, n + 1]} for n in range(tensors)}, b"\0" * tensors
    )


def _with_data(pickled: bytes) -> bytes:
    return archive({"data.pkl": pickled, "version": b"3\n", "byteorder": b"little", "data/0": b"\0" * 16})


def _integer(number: int) -> bytes:
    digits = pickle.encode_long(number)
    return b"\x8a" + bytes([len(digits)]) + digits


def _tuple(numbers: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(_integer, numbers)) + b"t"
