"""`split_leakage` and `class_map_mismatch`: whether the splits are apart, and speak of the same classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retspec.facts import Images, Splits
from retspec.plugin import Inconclusive, Observed, check

if TYPE_CHECKING:
    from collections.abc import Mapping


@check(
    direction="at most",
    unit="leaks",
    default_limit=0,
    advice="Take the images and groups in the details out of all splits but one; split by patient, not by image.",
)
def split_leakage(splits: Splits, images: Images) -> Observed[int]:
    """Is every image, and every patient, in one split only?

    Why it matters:
        What the model saw in training it knows by heart. A test that holds the same image, or the other eye of the same
        patient, measures memory.

    Example:
        split_leakage: 0

    What the number means:
        Different images, told by their bytes, that stand in two splits or more, and groups (`group_column`) that do.
    """
    _require_several(splits)
    if images.read == 0 and not splits.has_groups:
        raise Inconclusive("not one file could be read, and there are no groups; `missing_files` tells more")
    leaks = [copies for copies in images.identical if len({copy.split for copy in copies}) > 1]
    details = {
        "images": [" = ".join(f"{copy.file} ({copy.split})" for copy in copies) for copies in leaks],
        "groups": [f"{each.group} in {', '.join(each.splits)}" for each in splits.shared_groups],
        "compared by": "bytes and group" if splits.has_groups else "bytes alone; no `group_column` is given",
    }
    return Observed(len(leaks) + len(splits.shared_groups), details)


@check(
    direction="at most",
    unit="classes",
    default_limit=0,
    advice="Give every split the same class folders, empty ones left out of all; prefix their names so that they sort "
    "as they are meant to (`0_normal`, `1_mild`, ...).",
)
def class_map_mismatch(splits: Splits) -> Observed[int]:
    """Do all splits know the same classes by the same numbers?

    Why it matters:
        Folders are numbered by their names, split by split. A split that lacks one shifts all that follow: the model is
        judged by other labels than it learnt, without a word.

    Example:
        class_map_mismatch: 0

    What the number means:
        Classes that do not have the same number in every split, those that a split lacks included. The details tell,
        too, when the order is not that of the numbers in the names (`10` is sorted before `2`): harmless for kinds,
        wrong for grades.
    """
    _require_several(splits)
    names = sorted({name for classes in splits.classes.values() for name in classes})
    numbers = {name: {split: classes.get(name) for split, classes in splits.classes.items()} for name in names}
    wrong = {name: found for name, found in numbers.items() if len(set(found.values())) > 1}
    lines = [f"{name}: {', '.join(_said(split, number) for split, number in wrong[name].items())}" for name in wrong]
    order = _order(next(iter(splits.classes.values())))
    return Observed(len(wrong), {"classes": lines, "order": order, "notes": list(splits.notes)})


def _require_several(splits: Splits) -> None:
    if len(splits.counts) < 2:  # noqa: PLR2004 - it takes two
        raise Inconclusive(f"{', '.join(splits.counts)} is the only split; there is none to hold it against")


def _said(split: str, number: int | None) -> str:
    return f"not in {split}" if number is None else f"{number} in {split}"


def _order(classes: Mapping[str, int]) -> str:
    """Say whether the classes are numbered as the numbers in their names ask for."""
    named = sorted(classes, key=classes.__getitem__)
    meant = sorted(named, key=_natural)
    late, early = next(((a, b) for a, b in zip(named, meant, strict=True) if a != b), ("", ""))
    return f"{late!r} comes before {early!r}" if named != meant else "as the names say"


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key by which 2 comes before 10."""
    return [(text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", name)]
