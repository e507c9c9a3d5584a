"""List the names that a pickle imports, without running it."""

from __future__ import annotations

import io
import pickletools
import zipfile
from argparse import Namespace
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from retspec.subjects.checkpoints.inert import stand_in
from retspec.subjects.checkpoints.outline import outline
from retspec.subjects.checkpoints.recognition import Format

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retspec.subjects.checkpoints.files import File
    from retspec.subjects.checkpoints.outline import Piece

_BEFORE_THE_OBJECT = 3
"""Pickles at the start of a legacy file: a magic number, a version and facts about the machine."""


@contextmanager
def data_allowed(names: Iterable[str] = ()) -> Iterator[None]:
    """Let torch load `argparse.Namespace`, a plain record that training scripts save next to the weights.

    names: other names of plain data, for each of which torch is given what ignores everything; no name is imported.
    What a factory or a library has allowed by `torch.serialization.add_safe_globals` would be called by a checkpoint:
    it is allowed again afterwards.
    """
    from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals

    before = get_safe_globals()
    clear_safe_globals()
    add_safe_globals([Namespace, *((place, name) for name in names if (place := stand_in(name)) is not None)])
    try:
        yield
    finally:
        clear_safe_globals()
        add_safe_globals(before)


def asked_names(file: File, kind: Format) -> list[str]:
    """Return the sorted names that a file of torch.save imports beyond those that safe loading knows.

    Raises whatever torch or pickletools raise for a broken pickle. See
    https://docs.pytorch.org/docs/stable/notes/serialization.html
    """
    from torch.serialization import get_unsafe_globals_in_checkpoint

    with file.path.open("rb") as stream, data_allowed():
        source = stream if kind is Format.ARCHIVE else _as_archive(_legacy_object(stream))
        return sorted(get_unsafe_globals_in_checkpoint(source))


def outline_of(file: File, kind: Format) -> Piece | None:
    """Return what is under which key of a file of torch.save; None where that cannot be said."""
    with file.path.open("rb") as stream:
        if kind is Format.LEGACY:
            return outline(_legacy_object(stream))
        with zipfile.ZipFile(stream) as archive:
            names = [name for name in archive.namelist() if name.partition("/")[2] == "data.pkl"]
            return outline(archive.read(names[0])) if names else None


def _legacy_object(stream: BinaryIO) -> bytes:
    """Return the pickle in a legacy file that holds the saved object."""
    for _ in range(_BEFORE_THE_OBJECT):
        _skip_pickle(stream)
    start = stream.tell()
    _skip_pickle(stream)
    end = stream.tell()
    stream.seek(start)
    return stream.read(end - start)


def _skip_pickle(stream: BinaryIO) -> None:
    for _ in pickletools.genops(stream):
        pass


def _as_archive(pickled: bytes) -> BinaryIO:
    """Return a zip archive with a pickle where torch expects it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    stream.seek(0)
    return stream
