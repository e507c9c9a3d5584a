"""How several checks on loaders say what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.facts import ItemReads


def of_all(read: int, items: int | None) -> str:
    """Return `n of N`; N is not known of every loader."""
    return f"{read} of {'an unknown number' if items is None else items}"


def augmentation(reads: ItemReads) -> dict[str, object]:
    """Return what was read, and which items changed, as details."""
    return {
        "items": of_all(reads.read, reads.items),
        "reads of each": reads.reads,
        "that differ": of_all(len(reads.differing), reads.read),
    }
