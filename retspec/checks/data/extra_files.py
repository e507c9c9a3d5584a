"""`extra_files`."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.checks.data._reading import compiled, first_of
from retspec.facts import Unlisted
from retspec.plugin import Count, Inconclusive, Observed, check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.facts import UnlistedFile


@check(
    direction="at most",
    unit="files",
    default_limit=0,
    advice="List the files in the details in a split, convert those of another format, or move them elsewhere. Allow "
    "what you know by a regular expression: `with: {allow: [^raw/]}`.",
)
def extra_files(
    unlisted: Unlisted,
    *,
    allow: Annotated[
        list[str],
        Meta(description="Regular expressions. A file is not counted if one is found in its path below the dataset."),
    ] = [],  # noqa: B006 - read only
) -> Observed[Count]:
    """Is every image of the dataset's folders in a split?

    Why it matters:
        A second copy of `train`, rows that a table lost, 400 DICOM files that a loader of PNG passes over: what no
        split lists is in no count and in no check.

    Example:
        extra_files: {limit: 0, with: {allow: ["^raw/", "[.]json$"]}}

    What the number means:
        Image files in the dataset's folder (of tables: in `images`) that no split lists, and files in class folders
        that are not images by their names. Hidden files and folders, and what systems leave behind, are left out. The
        details say which have the name and the size of a listed file.
    """
    if not unlisted.folders:
        raise Inconclusive("the data source does not say from which folders its files come")
    allowed = compiled(allow)
    extra = [each for each in unlisted.files if not any(pattern.search(each.file) for pattern in allowed)]
    details = {
        "listed": unlisted.listed,
        "by folder": _counts(extra),
        **first_of("files", [each.file for each in extra]),
        **first_of("copies by name and size", [f"{each.file} = {each.copy_of}" for each in extra if each.copy_of]),
        "allowed": len(unlisted.files) - len(extra),
    }
    return Observed(len(extra), details)


def _counts(files: Sequence[UnlistedFile]) -> dict[str, int]:
    """Return the first folder and the suffix of files, such as `valid/ .jpg`, to their number."""
    counted = Counter(f"{_top(PurePath(each.file))}{PurePath(each.file).suffix}" for each in files)
    return dict(counted.most_common())


def _top(path: PurePath) -> str:
    return f"{path.parts[0]}/ " if len(path.parts) > 1 else ""
