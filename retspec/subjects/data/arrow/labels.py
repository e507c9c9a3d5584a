"""Labels of a saved dataset of Hugging Face: of a ClassLabel by its names, of other columns as those of tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.subjects.data.tables.values import integer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Label = tuple[int | tuple[int, ...] | None, str]
"""A label, and its class as written."""


@dataclass(frozen=True)
class Labels:
    """The labels of a split, row by row, and class name to number."""

    each: Sequence[Label]
    classes: Mapping[str, int]
    are_hidden: bool = False
    """Whether every label is the -1 or the null by which public test sets hide them."""


def labels_of(cells: Sequence[Any], feature: Any, numbers: Mapping[str, int], rows: int) -> Labels:
    """Return the labels of a column with this feature; without a column, no labels.

    numbers: class name to label, for a feature that has no names. rows: how many labels there are without a column.

    https://huggingface.co/docs/datasets/about_dataset_features
    """
    if feature is None:
        return Labels([(None, "")] * rows, {})
    names, inner = _names(feature), _inner(feature)
    if inner is not None and (several := _names(inner)) is not None:
        classes = {name: number for number, name in enumerate(several)}
        return Labels([_several(cell, several) for cell in cells], classes)
    if names is not None:
        hidden = all(cell is None or cell == -1 for cell in cells)
        return Labels([_one(cell, names) for cell in cells], {name: at for at, name in enumerate(names)}, hidden)
    return _as_in_tables(cells, numbers)


def _names(feature: Any) -> list[str] | None:
    """Return the names of a ClassLabel; None for another feature."""
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return None
    names = feature.get("names")
    if isinstance(names, list):
        return [str(name) for name in names]
    count = feature.get("num_classes")
    return [str(number) for number in range(count)] if isinstance(count, int) else []


def _inner(feature: Any) -> Any:
    """Return the feature of the entries of a list; None for what is no list."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    is_list = isinstance(feature, dict) and feature.get("_type") in {"List", "LargeList", "Sequence"}
    return feature.get("feature") if is_list else None


def _one(cell: Any, names: Sequence[str]) -> Label:
    if not isinstance(cell, int):
        return None, ""
    return cell, names[cell] if 0 <= cell < len(names) else str(cell)


def _several(cell: Any, names: Sequence[str]) -> Label:
    """Return 1 for each class whose number is in a list, 0 for the others."""
    if not isinstance(cell, list):
        return None, ""
    if strange := [each for each in cell if not isinstance(each, int) or not 0 <= each < len(names)]:
        return None, str(strange[0])
    return tuple(int(at in cell) for at in range(len(names))), " ".join(names[at] for at in sorted({*cell})) or "none"


def texts_of(cells: Sequence[Any], feature: Any) -> list[str]:
    """Return labels as a table would write them; none of a ClassLabel or a list of those, which have names."""
    named = _names(feature) is not None or _inner(feature) is not None
    return [] if named else [*dict.fromkeys(map(_text, cells))]


def _text(cell: Any) -> str:
    return "" if cell is None else cell.strip() if isinstance(cell, str) else json.dumps(cell)


def _as_in_tables(cells: Sequence[Any], numbers: Mapping[str, int]) -> Labels:
    by_text: dict[str, Label] = {}
    texts = [*map(_text, cells)]
    for text in dict.fromkeys(texts):
        number = integer(text)
        name = text if number is None else str(number)
        by_text[text] = numbers.get(name), name
    own = {name for _, name in by_text.values()}
    return Labels([by_text[text] for text in texts], {name: at for name, at in numbers.items() if name in own})
