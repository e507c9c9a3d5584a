"""Read a shard: which samples are in it, and where the bytes of their files are. No byte of an image is read."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, named
from retspec.regular_files import open_regular
from retspec.subjects.data.tables.kinds import foreign_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

_NAME = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)")
"""The key of a sample and the extension, which begins at the first dot of the name.

https://github.com/webdataset/webdataset/blob/main/webdataset/tariterators.py
"""
_META = re.compile(r"__[^/]*__($|/)")
"""Members that webdataset passes over."""
_BLOCK = tarfile.BLOCKSIZE


@dataclass
class Sample:
    """The members of a shard that are called alike."""

    key: str
    members: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Extension, in lower case, to start and size of the bytes in the shard."""
    names: dict[str, str] = field(default_factory=dict)
    """Extension, in lower case, to the name of the member."""


def samples_of(path: Path, shown: str, at: str) -> list[Sample]:
    """Return the samples of a shard, in their order.

    shown: the shard, for messages. at: the place in the spec that it comes from.

    Raises SubjectError for a shard that is missing, truncated, compressed or no tar, and for one that webdataset cannot
    make samples of.
    """
    try:
        with open_regular(path) as file:
            return _grouped(_members(file, shown, at), shown, at)
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError) as error:
        raise SubjectError(f"{shown} {_fault(path, error)}", path=at) from error


def _members(file: IO[bytes], shown: str, at: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and size of each regular member; raises SubjectError where the archive does not end properly.

    `tarfile` takes a cut or damaged header for the end: https://docs.python.org/3/library/tarfile.html.
    """
    end = 0
    last = "its start"
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # else it keeps all of them, as webdataset found
            end, last = archive.offset, member.name
            if member.issparse():
                raise SubjectError(f"{shown}: {member.name} is a sparse member, which is not read", path=at)
            if member.isreg() and not _META.match(member.name):
                yield member.name, member.offset_data, member.size
    file.seek(end)
    if file.read(_BLOCK) != bytes(_BLOCK):
        raise SubjectError(f"{shown} is truncated or damaged: the archive does not end behind {last}", path=at)


def _grouped(members: Iterator[tuple[str, int, int]], shown: str, at: str) -> list[Sample]:
    samples: list[Sample] = []
    keys: set[str] = set()
    for name, start, size in members:
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        key, extension = found[1], found[2].lower()
        if not samples or samples[-1].key != key:
            if key in keys:
                raise SubjectError(
                    f"{shown}: the files of {key!r} are not side by side, so that webdataset makes several samples of "
                    "them; write the archive with `tar --sort=name`",
                    path=at,
                )
            keys.add(key)
            samples.append(Sample(key))
        if extension in samples[-1].members:
            raise SubjectError(f"{shown} holds {name!r} twice, which webdataset refuses", path=at)
        samples[-1].members[extension] = start, size
        samples[-1].names[extension] = name
    return samples


def _fault(path: Path, error: Exception) -> str:
    """Return what is wrong with a shard, as the end of a sentence."""
    if isinstance(error, FileNotFoundError):
        return "is not there"
    if not isinstance(error, tarfile.TarError):
        return f"cannot be read: {named(error)}"
    with open_regular(path) as file:
        start = file.read(_BLOCK)
    if not start:
        return "is empty"
    if start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"(\xb5/\xfd")):
        return "is compressed, so that its images cannot be read one by one; unpack it to a plain tar"
    if "unexpected end of data" in str(error):
        return "is truncated: it ends inside of a member"
    return f"is no tar archive: it is {foreign_kind(start)}" if foreign_kind(start) else f"is no tar archive: {error}"
