"""What a pickle asks for by name, read without running it."""

from __future__ import annotations

import io
import pickletools
import zipfile
from argparse import Namespace
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from retspec.subjects.checkpoints.recognition import Format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.subjects.checkpoints.files import File

_BEFORE_THE_OBJECT = 3
"""A legacy file is several pickles in a row; a magic number, a version and facts about the machine come first."""


@contextmanager
def namespace_allowed() -> Iterator[None]:
    """Let torch restore `argparse.Namespace`, a bare holder of values that training scripts save beside the weights."""
    from torch.serialization import get_safe_globals, safe_globals

    # On leaving, torch forgets what was allowed on entering: others may have allowed it for good.
    with safe_globals([] if Namespace in get_safe_globals() else [Namespace]):
        yield


def blocked_names(file: File, kind: Format) -> list[str]:
    """Return all that a file of torch.save asks for and that safe loading does not give, sorted.

    Raises whatever a broken pickle makes torch or pickletools raise.
    """
    from torch.serialization import get_unsafe_globals_in_checkpoint

    with file.path.open("rb") as stream, namespace_allowed():
        source = stream if kind is Format.ARCHIVE else _as_archive(_legacy_object(stream))
        return sorted(get_unsafe_globals_in_checkpoint(source))


def _legacy_object(stream: BinaryIO) -> bytes:
    """Return the pickle of a legacy file that holds the object which was saved."""
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
    """Return a pickle in the archive in which torch looks for it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    stream.seek(0)
    return stream
