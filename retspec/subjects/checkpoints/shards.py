"""Weights in several files, and the index that names them: `model.safetensors.index.json`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.checkpoints.files import find
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from retspec.subjects.checkpoints.files import File

_LARGEST = 1 << 26
"""Bytes of an index; that of a mixture of experts with 671 billion weights has about nine million."""
_MOST_SHARDS = 4096
_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})(?P<suffix>\.\w+)")


def with_shards(file: File, folder: Path) -> File:
    """Return a file with its shards, if it is an index of such: every one of them is looked up.

    folder: the one that the name of the file is relative to.

    Raises SubjectError for an index that is damaged, or names what is not beside it.
    """
    if not file.name.endswith(".index.json"):
        return file
    beside = PurePath(file.name).parent
    names = sorted(set(_weight_map(file).values()))
    if strange := [name for name in names if PurePath(name).name != name]:
        raise file.refused(f"names {strange[0]!r}, which is no file beside it")
    return replace(file, parts=tuple(_found(file, str(beside / name), folder) for name in names))


def require_complete(file: File, tensors: Mapping[str, Tensor]) -> None:
    """Raise SubjectError where the shards lack tensors that their index names."""
    lacking = {name: shard for name, shard in _weight_map(file).items() if name not in tensors}
    if lacking:
        name, shard = next(iter(lacking.items()))
        raise file.refused(
            f"names {len(lacking):,} tensors that are in none of its shards, first {name}, which should be in {shard}; "
            "fetch them again, from one place"
        )


def shard_note(file: File) -> str:
    """Return that a file is one of several, by its name; empty for any other."""
    match = _SHARD.fullmatch(file.path.name)
    if match is None:
        return ""
    suffix = match["suffix"]
    index = file.path.with_name(f"{match['stem']}{suffix}.index.json")
    there = "is beside it" if index.is_file() else "is not beside it: fetch it, too"
    return (
        f"{file.name} is one shard of {int(match['total'])}: it holds a part of the weights; name the index "
        f"{index.name}, which {there}"
    )


def _found(file: File, name: str, folder: Path) -> File:
    try:
        return find(name, folder, file.place)
    except SubjectError as error:
        raise file.refused(f"names a shard that cannot be used: {error}") from error


def _weight_map(file: File) -> dict[str, str]:
    if file.size > _LARGEST:
        raise file.refused(f"is damaged: an index has no {file.size:,} bytes")
    try:
        value = json.loads(file.path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise file.refused(f"is no index of shards: it is not JSON ({error})") from error
    named = value.get("weight_map") if isinstance(value, dict) else None
    if not isinstance(named, dict) or not named or not all(isinstance(shard, str) for shard in named.values()):
        keys = listing(list(map(str, value))) if isinstance(value, dict) else ""
        raise file.refused(
            "is no index of shards: it has no `weight_map` from the names of tensors to files"
            + (f"; its keys are {keys}" if keys else "")
        )
    if len(set(named.values())) > _MOST_SHARDS:
        raise file.refused(f"is damaged: it names more than {_MOST_SHARDS:,} files")
    return named
