"""`File`: a file that a spec names, such as its checkpoint or the weights of its adapter."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.errors import SubjectError, did_you_mean
from retspec.text.wording import listing

if TYPE_CHECKING:
    import os
    from pathlib import Path

CHECKPOINT = "model.checkpoint"
Version = tuple[int, int, int]
"""Inode, size in bytes, time of the last change in nanoseconds."""


@dataclass(frozen=True)
class File:
    """A regular file in one version, so that a change while it is read is noticed."""

    name: str
    """As the spec writes it."""
    path: Path
    version: Version = field(repr=False)
    place: str = CHECKPOINT
    """Dotted path of the key in the spec that names it."""
    key: str | None = None
    """Dotted key in the file under which the spec says that the weights are; None where it says nothing."""
    prefix: str | None = None
    """What the spec says to remove from the beginning of names; it ends with a dot."""
    parts: tuple[File, ...] = ()
    """The files that hold the weights, if this one is their index."""

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.version[1]

    def head(self) -> bytes:
        """Return the first bytes, at most 4096."""
        with self.path.open("rb") as stream:
            return stream.read(4096)

    def sha256(self) -> str:
        """Return the SHA-256 of the content in hexadecimal; raises SubjectError when the file changes meanwhile.

        Of an index and its shards it is what `sha256sum INDEX SHARD… | sha256sum` prints, shards in the order of names.
        """
        if self.parts:
            lines = (f"{each.sha256()}  {each.path.name}\n" for each in (replace(self, parts=()), *self.parts))
            return hashlib.sha256("".join(lines).encode()).hexdigest()
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self.require_unchanged()
        return digest

    def require_unchanged(self) -> None:
        """Raise SubjectError when the file is no longer in this version."""
        for part in self.parts:
            part.require_unchanged()
        if _version(self.path.stat()) != self.version:
            raise self.refused("changed while it was read; another process writes it: give the run its own copy")

    def refused(self, why: str, key: str = "") -> SubjectError:
        """Return the error that says in one line why this file is refused.

        key: the one beside `file` in the spec that it is about.
        """
        return refused(self.name, why, f"{self.place}.{key}" if key else self.place)


def refused(name: str, why: str, place: str) -> SubjectError:
    """Return the error about a file or folder, at the place in the spec that names it."""
    return SubjectError(one_line(f"{name} {why}"), path=place)


def find(name: str, folder: Path, place: str = CHECKPOINT) -> File:
    """Return the file of this name, relative to the folder of the spec.

    Raises SubjectError, at the place that names it, when it is not a readable regular file.
    """
    if "://" in name:
        raise refused(name, "is an address; nothing is fetched from the network: download it and name the file", place)
    path = folder / name
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
    except OSError as error:
        raise refused(name, _why_unreadable(path, error), place) from error
    except ValueError as error:  # a null byte
        raise refused(name, f"cannot be the name of a file: {error}", place) from error
    if not stat.S_ISREG(status.st_mode):
        raise refused(name, _why_irregular(path), place)
    return File(name, path, _version(status), place)


def _version(status: os.stat_result) -> Version:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _why_unreadable(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {error.strerror}"
    if path.is_symlink():
        return f"is a link to {path.readlink()}, which is not there; fetch the file that it points to"
    return f"is not there (looked for {path}){did_you_mean(path.name, _names(path.parent))}"


def _why_irregular(path: Path) -> str:
    if not path.is_dir():
        return "is not a regular file; name the file that holds the weights"
    names = listing(_names(path)) or "nothing"
    return f"is a directory; name the file in it that holds the weights, out of: {names}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
