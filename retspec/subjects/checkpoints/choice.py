"""What a spec says about its checkpoint: a file, and perhaps where in it the weights are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.subjects.checkpoints.files import find
from retspec.subjects.checkpoints.shards import with_shards

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import CheckpointChoice
    from retspec.subjects.checkpoints.files import File


def chosen(choice: str | CheckpointChoice, folder: Path) -> File:
    """Return the file that a spec names, with its shards, and the key and the prefix that the spec gives.

    Raises SubjectError, at the place that names it, when it or a shard of it is not a readable regular file.
    """
    if isinstance(choice, str):
        return with_shards(find(choice, folder), folder)
    prefix = choice.prefix and f"{choice.prefix.rstrip('.')}."
    return replace(with_shards(find(choice.file, folder), folder), key=choice.key, prefix=prefix)
