"""Check the zip archive that torch.save writes, before torch reads it.

torch maps the file into memory and reads the bytes of an entry as the numbers of a tensor: a compressed entry would be
read as noise. So an archive that torch.save does not write is refused.
"""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

from retspec.text.wording import listing

if TYPE_CHECKING:
    from retspec.subjects.checkpoints.files import File

_DAMAGES = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error, OverflowError)
_MOST_ENTRIES = 1 << 18
"""Tensors, as in a safetensors file, and a handful of other entries."""
_ENTRIES, _DIRECTORY, _SHORTEST_ENTRY = 4, 5, 46
"""Places of the number of entries and of the bytes of the directory in the record at the end, and the least per entry.

See section 4.3 of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""
_SCRIPT = "is a TorchScript archive, which holds code; save torch.jit.load(...).state_dict() as safetensors instead"
_PROGRAM = "is a program of torch.export (.pt2), which holds code; save the state_dict of its model as safetensors"


def stored_bytes(file: File) -> int:
    """Return the number of bytes of tensors in an archive of torch.save.

    Raises SubjectError when the file is damaged, compressed, or another kind of archive.
    """
    try:
        _require_few_entries(file)
        with zipfile.ZipFile(file.path) as archive:
            entries = archive.infolist()
    except _DAMAGES as error:
        raise file.refused(
            f"is damaged, or cut off: its zip archive has no sound end ({error}); fetch it again"
        ) from error
    records = {entry.filename.partition("/")[2]: entry for entry in entries}
    if (complaint := _complaint(file, records)) is not None:
        raise file.refused(complaint)
    sizes = [entry.file_size for name, entry in records.items() if name.startswith("data/")]
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise file.refused("was repacked with compression, which torch cannot read; save it again with torch.save")
    if sum(entry.file_size for entry in entries) > file.size:
        raise file.refused("is damaged: the entries of its zip archive are larger than the file; fetch it again")
    return sum(sizes)


def _require_few_entries(file: File) -> None:
    """Refuse an archive of more entries than any model has tensors, before each of them takes memory."""
    with file.path.open("rb") as stream:
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]  # noqa: SLF001 - as ZipFile itself reads it
    if end and max(end[_ENTRIES], end[_DIRECTORY] // _SHORTEST_ENTRY) > _MOST_ENTRIES:
        raise file.refused(
            f"is damaged: its zip archive has {end[_ENTRIES]:,} entries, and no model has so many tensors"
        )


def _complaint(file: File, records: dict[str, zipfile.ZipInfo]) -> str | None:
    """Return what this archive is, if torch.save did not write it; otherwise None."""
    if file.path.suffix == ".pt2" or {"archive_format", "serialized_exported_program.json"} & records.keys():
        return _PROGRAM
    if "constants.pkl" in records or any(name.startswith("code/") for name in records):
        return _SCRIPT
    if "data.pkl" not in records:
        names = [entry.filename for entry in records.values()]
        return f"is a zip archive of other files ({listing(names) or 'none'}); unpack it first"
    return None
