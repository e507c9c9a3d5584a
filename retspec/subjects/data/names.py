"""Files that are nearly called as a dataset lists them, and in which way they differ."""

from __future__ import annotations

import os
import re
import unicodedata
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from retspec.subjects.data.folders import Folders
from retspec.subjects.data.walking import files_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from retspec.facts import Dataset

_DRIVE = re.compile(r"(^|/)[A-Za-z]:[\\/]")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_MOST = 3
"""Files that fit one name before they are counted."""


def _slashes(path: str) -> str:
    return path.replace("\\", "/")


def _without_suffix(path: str) -> str:
    """Return a path without its suffix; twice, since `extension` may have added a second one."""
    bare = os.path.splitext(path)[0]  # noqa: PTH122 - a text
    inner, suffix = os.path.splitext(bare)  # noqa: PTH122 - a text
    return inner if re.fullmatch(r"\.[A-Za-z]{3,4}", suffix) else bare


_WAYS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("the Unicode form", lambda path: unicodedata.normalize("NFC", path)),
    ("upper and lower case", str.casefold),
    ("blanks", lambda path: "".join(path.split())),
    ("leading zeros", lambda path: _ZEROS.sub("", path)),
    ("the suffix", _without_suffix),
)
"""How the names of two files may differ, and what takes the difference away, the likeliest first."""


_SUFFIX = re.compile(r"(?<=[^.\n])(\.[a-z]{3,4})?\.[^.\n]*$", re.MULTILINE)
_FOLDERS = re.compile(r"^.*/", re.MULTILINE)
_SPECIAL = re.compile(r"^\.|\.\.|[^\S\n]|[^\0-\x7f]", re.MULTILINE)
"""What names have that need more care than `_quickly` takes."""


def near_names(dataset: Dataset, missing: Iterable[str], folders: Folders | None = None) -> dict[str, str]:
    """Return, for missing files, why what is there is no file, or which file has nearly the name, as a clause.

    folders: those of the dataset, where they are listed already.
    """
    first = list(missing)
    folders = folders or Folders(dataset.folder)
    obstacles = {file: said for file in first if (said := folders.obstacle(file))}
    wanted = [file for file in first if file not in obstacles]
    if not wanted:
        return obstacles
    bare = dict(zip(wanted, _bare(wanted), strict=True))
    known: dict[str, dict[str, None]] = {each: {} for each in bare.values()}
    for there in _files(dataset, folders):
        near = [(file, each) for file, each in zip(there, _bare(there), strict=True) if each in known]
        for file, each in sorted(near, key=_in_order):
            known[each][file] = None
    return obstacles | {file: _said(file, [*found]) for file, each in bare.items() if (found := known[each])}


def _in_order(near: tuple[str, str]) -> tuple[str, str]:
    """Return a key that sorts files as `files_below` lists them: by their folder, then by their name."""
    folder, _, name = near[0].rpartition("/")
    return folder, name


def _files(dataset: Dataset, disk: Folders) -> Iterator[list[str]]:
    """Yield the files in each folder of a dataset, or else in those that it lists files of, relative to its own."""
    for folder in dataset.folders or dict.fromkeys(file.rpartition("/")[0] for file in dataset.distinct_files()):
        yield disk.files_alone(folder) or files_in(dataset.folder, [folder], [])


def _bare(paths: Sequence[str]) -> list[str]:
    """Return what is left of paths when every difference that may be is taken away: a file's name and no folder."""
    lines = _FOLDERS.sub("", _slashes("\n".join(paths)))
    if lines.count("\n") + 1 == len(paths) and not _SPECIAL.search(lines):
        return _quickly(lines)
    names = [_slashes(path).rpartition("/")[2] for path in paths]
    return [_simplified(name, _WAYS) if "\n" in name or _SPECIAL.search(name) else _quickly(name)[0] for name in names]


def _quickly(lines: str) -> list[str]:
    """Return what `_simplified` makes of the name in each line, all at once: a folder may hold half a million."""
    return _SUFFIX.sub("", _ZEROS.sub("", lines.lower())).split("\n")


def _simplified(name: str, ways: Iterable[tuple[str, Callable[[str], str]]]) -> str:
    for _, simpler in ways:
        name = simpler(name)
    return name


def _said(file: str, found: list[str]) -> str:
    """Return the file that differs least, and how: `img/a1.png is there, which differs in upper and lower case`."""
    differences = {other: _differences(file, other) for other in found}
    nearest = min(found, key=lambda other: len(differences[other]))
    shown = unicodedata.normalize("NFC", nearest)
    others = f" (and {len(found) - 1:,} more)" if len(found) > _MOST else ""
    return f"{shown}{others} is there, and differs in {', '.join(differences[nearest])}"


def _differences(file: str, other: str) -> list[str]:
    """Return the fewest ways in which a listed path and one on the disk differ, in words."""
    has_drive = _DRIVE.search(file) is not None
    listed, there = PurePosixPath(_slashes(file)), PurePosixPath(other)
    words = ["a drive of Windows"] if has_drive else ["backslashes"] if "\\" in file else []
    sets = (ways for number in range(len(_WAYS) + 1) for ways in combinations(_WAYS, number))
    fewest = next(ways for ways in sets if _simplified(listed.name, ways) == _simplified(there.name, ways))
    words += [_named_form(file, other) if word == "the Unicode form" else word for word, _ in fewest]
    if not has_drive and listed.parent != there.parent:
        words.append("the folder")
    return words


def _named_form(file: str, other: str) -> str:
    forms = ["NFC" if unicodedata.is_normalized("NFC", text) else "NFD" for text in (file, other)]
    return f"the Unicode form ({forms[0]} in the list, {forms[1]} on the disk)"
