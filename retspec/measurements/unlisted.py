"""The measurement `unlisted`: images beside the splits, which nobody reads."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from retspec.facts import Unlisted, UnlistedFile
from retspec.plugin import Cost, measurement
from retspec.subjects.data.walking import files_in, holds_image, is_litter

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import Dataset


@measurement(cost=Cost.STATIC, needs_torch=False)
def unlisted(dataset: Dataset) -> Unlisted:
    """Find the images on the disk that no split lists, by their names, without opening any file."""
    listed = {*dataset.distinct_files()}
    root = Path(dataset.folder)
    below = files_in(dataset.folder, dataset.folders, [])
    others = {file for file in dataset.others if not is_litter(file)}
    extra = [file for file in below if file in others or (file not in listed and _is_extra(file))]
    copies = _by_name_and_size(listed, root) if extra else lambda _file: ""
    return Unlisted(
        folders=dataset.folders,
        listed=len(listed),
        files=tuple(UnlistedFile(file, copies(file)) for file in extra),
    )


def _is_extra(file: str) -> bool:
    """Whether a file is an image, and in no hidden folder."""
    return holds_image(file) and not any(part.startswith(".") for part in PurePath(file).parts)


def _by_name_and_size(listed: set[str], root: Path) -> Callable[[str], str]:
    """Return a function that gives the listed file with the name and the size of another one, or an empty string."""
    known: dict[tuple[str, int], str] = {}
    for file in sorted(listed):
        known.setdefault((PurePath(file).name, _size(root / file)), file)
    return lambda file: known.get((PurePath(file).name, _size(root / file)), "")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
