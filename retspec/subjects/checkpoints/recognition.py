"""Recognise the format of a file by its first bytes, whatever its name says."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.subjects.checkpoints.files import File


class Format(StrEnum):
    """The formats that are read."""

    SAFETENSORS = "safetensors"
    ARCHIVE = "torch.save (zip)"
    LEGACY = "torch.save (before torch 1.6)"


_LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
"""First pickle of a legacy file: protocol 2, a magic number, the end."""
_LONGEST_HEADER = 100_000_000
"""Largest safetensors header that the library accepts, in bytes."""
_FOREIGN = {
    b"\x80": "is a pickle, but not in the format of torch.save; where you trust it, save its weights as safetensors",
    b"\x1f\x8b": "is a gzip archive; unpack it first",
    b"BZh": "is a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "is an xz archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "is a zstandard archive; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive; unpack it first",
    b"Rar!": "is a rar archive; unpack it first",
    b"\x89HDF": "is an HDF5 file, as Keras writes it; convert it to safetensors",
    b"\x93NUMPY": "is a numpy array, not named weights; convert it to safetensors",
    b"GGUF": "is a GGUF file; name the weights that it was made from",
    b"\x89PNG": "is a PNG image",
    b"\xff\xd8\xff": "is a JPEG image",
    b"%PDF": "is a PDF document",
}
_TEXTS = {
    "version https://git-lfs": "is a git-LFS pointer, not the weights; fetch them with `git lfs pull`",
    "/annex/objects/": "is a git-annex pointer, not the weights; fetch them with `git annex get`",
    "<!doctype html": "is an HTML page, such as a login or error page; download the weights again, logged in",
    "<html": "is an HTML page, such as a login or error page; download the weights again, logged in",
    "<": "is XML, such as the error message of a server; download the weights again",
    "{": "is JSON, not weights",
    "[": "is JSON, not weights",
}
_INDEX = "is the index of weights in several files, but is not called so; name it as it was published, *.index.json"


def recognise(file: File) -> Format:
    """Return the format of a file, or of the first shard of an index.

    Raises SubjectError, which says what the file is, for any other format.
    """
    if file.parts:
        first, *_ = [recognise(part) for part in file.parts]
        return first
    head = file.head()
    if head.startswith(b"PK\x03\x04"):
        found = Format.ARCHIVE
    elif head.startswith(_LEGACY):
        found = Format.LEGACY
    elif _is_safetensors(head):
        return Format.SAFETENSORS
    else:
        # What a link leads to, such as a key of the user's, must not get into a report by a stranger's folder.
        raise file.refused(_what_it_is(head, is_link=file.path.is_symlink()))
    if file.path.suffix == ".safetensors":
        # torch.load decides by this suffix, and a reader that trusts the name must not get a pickle.
        raise file.refused(f"is not a safetensors file but one of {found}; name it .pth if that is what you want")
    return found


def _is_safetensors(head: bytes) -> bool:
    """Whether a file starts with the length of a header and then a header in JSON.

    See https://github.com/huggingface/safetensors#format
    """
    return head[8:9] == b"{" and 0 < int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def _what_it_is(head: bytes, *, is_link: bool) -> str:
    if not head.strip(b"\0"):
        return "is empty" if not head else "begins with zeros alone: a download or a copy that never finished"
    if head[257:262] == b"ustar":
        return "is a tar archive; unpack it first"
    for beginning, what in _FOREIGN.items():
        if head.startswith(beginning):
            return what
    what, shown = _what_text_it_is(head)
    return what if is_link or not shown else f"{what}; it begins with {shown}"


def _what_text_it_is(head: bytes) -> tuple[str, str]:
    """Return what a file is, and how it begins where that helps to recognise it."""
    # The last character may have been cut in two.
    text = head.decode("utf-8", "ignore" if len(head) == 4096 else "replace").lstrip("\ufeff").strip()  # noqa: PLR2004
    if "\ufffd" in text or not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return "is not a checkpoint, which are .pth, .pt, .bin or .safetensors", f"the bytes {head[:8].hex(' ')}"
    if '"weight_map"' in text:
        return _INDEX, ""
    for beginning, what in _TEXTS.items():
        if text.lower().startswith(beginning):
            return what, ""
    return "is text, not weights", repr(text[:40])
