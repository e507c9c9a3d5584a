"""Walk folders of images: in the order of torchvision, through links, and to an end whatever the links lead to."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""`IMG_EXTENSIONS` of https://github.com/pytorch/vision/blob/main/torchvision/datasets/folder.py"""
_OTHER_IMAGES = (
    *(".dcm", ".dicom", ".npy", ".npz", ".gif", ".jp2", ".j2k", ".heic", ".heif", ".avif", ".jfif", ".jpe", ".tga"),
    *(".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".svs", ".exr", ".raw"),
)
"""Images too, which torchvision's ImageFolder leaves out."""
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")
_LITTER = frozenset({"thumbs.db", "desktop.ini"})
"""What systems leave in folders of images."""


def is_image(name: str) -> bool:
    """Whether torchvision's ImageFolder takes a file for an image, by its name."""
    return name.lower().endswith(SUFFIXES)


def holds_image(name: str) -> bool:
    """Whether a file is an image of any kind by its name."""
    return is_image(name) or name.lower().endswith(_OTHER_IMAGES)


def is_litter(name: str) -> bool:
    """Whether a file is hidden, or is what a system leaves in folders."""
    return PurePath(name).name.startswith(".") or PurePath(name).name.lower() in _LITTER


def suffixes_of(files: Iterable[str]) -> str:
    """Return how many files have each suffix, the most frequent first: `40 .dcm, 2 .npy, 1 without a suffix`."""
    counts = Counter(PurePath(file).suffix.lower() or "without a suffix" for file in files)
    return listing([f"{count:,} {suffix}" for suffix, count in counts.most_common()])


def files_below(top: Path, looped: list[str]) -> list[str]:
    """Return all files below a folder, in the order in which torchvision lists them; links are followed.

    looped: gets the links that lead to a folder above them. Those are not followed: there is no end to what is behind.
    """
    found = sorted(_folders(str(top), (os.path.realpath(top),), looped))
    return [os.path.join(folder, name) for folder, names in found for name in sorted(names)]  # noqa: PTH118 - fast


def files_in(root: str, folders: Iterable[str], looped: list[str]) -> list[str]:
    """Return all files below some folders of a root, each once, relative to the root; those that are no folder aside.

    looped: as in `files_below`.
    """
    found: dict[str, None] = {}
    for folder in folders:
        top = Path(root, folder)
        if top.is_dir():
            start, below = f"{str(top).rstrip(os.sep)}{os.sep}", os.path.relpath(top, root)
            prefix = "" if below == "." else f"{below}{os.sep}"
            found |= dict.fromkeys([prefix + path[len(start) :] for path in files_below(top, looped)])
    return [*found]


def folders_in(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted as torchvision sorts them."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def _folders(folder: str, above: Sequence[str], looped: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield a folder and those below it with the names of their files; above: the real paths that led here."""
    with os.scandir(folder) as scanned:
        entries = list(scanned)
    yield folder, [entry.name for entry in entries if not entry.is_dir()]
    for entry in entries:
        if not entry.is_dir():
            continue
        real = os.path.realpath(entry.path) if entry.is_symlink() else f"{above[-1]}{os.sep}{entry.name}"
        if entry.is_symlink() and any(_is_within(passed, real) for passed in above):
            looped.append(entry.path)
            continue
        yield from _folders(entry.path, (*above, real), looped)


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
