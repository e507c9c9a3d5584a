"""`class_map_mismatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.checks.data._reading import require_several, unlabelled
from retspec.facts import Splits
from retspec.plugin import Count, Inconclusive, Observed, check
from retspec.subjects.data.classes import natural

if TYPE_CHECKING:
    from collections.abc import Mapping


@check(
    direction="at most",
    unit="classes",
    default_limit=0,
    advice="Give every split the same class folders, or leave empty ones out of all; prefix their names so that they "
    "sort in the intended order (`0_normal`, `1_mild`, ...).",
)
def class_map_mismatch(splits: Splits) -> Observed[Count]:
    """Do all splits use the same number for each class?

    Why it matters:
        Folders are numbered in the order of their names, split by split, as torchvision's `ImageFolder` does. In a
        split that lacks a folder all later classes shift, and the model is evaluated against the wrong labels, without
        an error.

    Example:
        class_map_mismatch: 0

    What the number means:
        Classes that do not have the same number in every split, including those that a split lacks. The details also
        show when the order is not that of the numbers in the names (`10` is sorted before `2`): harmless for kinds,
        wrong for grades. A split without labels is left out: a limit that is met has no verdict then.
    """
    require_several(splits)
    if len(splits.classes) < 2:  # noqa: PLR2004 - it takes two
        raise Inconclusive(f"{unlabelled(splits.unlabelled)}; there are no two splits to compare")
    names = sorted({name for classes in splits.classes.values() for name in classes})
    numbers = {name: {split: classes.get(name) for split, classes in splits.classes.items()} for name in names}
    wrong = {name: found for name, found in numbers.items() if len(set(found.values())) > 1}
    lines = [f"{name}: {', '.join(_said(split, number) for split, number in wrong[name].items())}" for name in wrong]
    order = _order(next(iter(splits.classes.values())))
    return Observed(
        len(wrong), {"classes": lines, "order": order, "notes": list(splits.notes)}, unlabelled(splits.unlabelled)
    )


def _said(split: str, number: int | None) -> str:
    return f"not in {split}" if number is None else f"{number} in {split}"


def _order(classes: Mapping[str, int]) -> str:
    """Say whether the classes are numbered as the numbers in their names ask for."""
    named = sorted(classes, key=classes.__getitem__)
    meant = sorted(named, key=natural)
    late, early = next(((a, b) for a, b in zip(named, meant, strict=True) if a != b), ("", ""))
    return f"{late!r} comes before {early!r}" if named != meant else "as the names say"
