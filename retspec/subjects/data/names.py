"""Files that are nearly called as a dataset lists them, and in which way they differ."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from retspec.subjects.data.folders import Folders
from retspec.subjects.data.walking import files_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


def near_names(dataset: Dataset, missing: Iterable[str]) -> dict[str, str]:
    """Return, for missing files, why what is there is no file, or which file has nearly the name, as a clause."""
    first = list(missing)
    folders = Folders(dataset.folder)
    obstacles = {file: said for file in first if (said := folders.obstacle(file))}
    wanted = [file for file in first if file not in obstacles]
    if not wanted:
        return obstacles
    known: dict[str, list[str]] = defaultdict(list)
    for file in _files(dataset):
        known[_bare(file)].append(file)
    return obstacles | {file: _said(file, found) for file in wanted if (found := known.get(_bare(file)))}


def _files(dataset: Dataset) -> list[str]:
    """Return the files in the folders of a dataset, or else in those that it lists files of, relative to its own."""
    from pathlib import Path

    root = Path(dataset.folder)
    folders = dataset.folders or tuple(dict.fromkeys(os.path.dirname(file) for _, file, _ in dataset.files()))  # noqa: PTH120 - a text
    tops = [root / folder for folder in folders if (root / folder).is_dir()]
    return list(dict.fromkeys(os.path.relpath(path, root) for top in tops for path in files_below(top, [])))


def _bare(path: str) -> str:
    """Return what is left of a path when every difference that may be is taken away: a file's name and no folder."""
    return _simplified(PurePosixPath(_slashes(path)).name, _WAYS)


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
