"""What the numbers of predictions depend on beside weights and images: the model, its inputs, the seed, the dtype."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from retspec.records import plain
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retspec.facts import Dataset
    from retspec.records import Data, Model, Spec
    from retspec.subjects.data.building import DataBuilder

_BY_HASH = ("checkpoint", "checkpoint_sha256", "adapter")
"""Keys of `model` whose files are compared by their content."""
_OF_IMAGES = ("source", "transform", "classes", "group")
"""Keys of `data` that say how a file becomes a row; which files there are is compared by the list of the split."""


def made_from(spec: Spec) -> dict[str, Any]:
    """Return the parts of a spec that predictions are made from, as plain data without secrets and defaults."""
    model = {} if spec.model is None else _model(spec.model)
    chosen = model.get("checkpoint")
    kept = {name: value for name, value in model.items() if name not in _BY_HASH}
    if isinstance(chosen, dict):
        kept["checkpoint"] = {name: value for name, value in chosen.items() if name != "file"}
    data = {name: value for name, value in _given(spec.data).items() if name in _OF_IMAGES}
    run = {"seed": spec.run.seed} | ({} if spec.run.dtype is None else {"dtype": spec.run.dtype})
    parts: dict[str, Any] = Mask(spec.secrets).given({"model": kept, "data": data, "run": run})
    found: dict[str, Any] = json.loads(json.dumps(parts))
    return found


def _model(model: Model) -> dict[str, Any]:
    """Return the section as the spec writes it: the source by its key, and its arguments beside it."""
    given = _given(model)
    return {given.pop("source"): given.pop("value"), **given.pop("arguments", {}), **given}


def difference(made: Mapping[str, Any], asked: Mapping[str, Any], *, with_data: bool) -> str:
    """Return the first difference of two such parts, as a clause, and an empty string where there is none.

    with_data: whether the spec that asks has data with files; without them, it says nothing of images.
    """
    parts = ("model", "run", "data") if with_data else ("model", "run")
    for part in parts:
        for place, old, new in _differences(made.get(part), asked.get(part), part):
            return f"`{place}` was {_text(old)}, and is {_text(new)}"
    return ""


def listed_sha256(dataset: Dataset, split: str) -> str:
    """Return the hash of the list of a split: what a row of predictions says of an image beside what the model does."""
    rows = (
        (each.file, each.class_name if each.label is None else each.label, each.group, *each.subgroups)
        for each in dataset.splits[split].examples
    )
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def sha256_of_split(data: DataBuilder, split: str) -> str:
    """Return that hash of a split of the data; empty where no files are listed."""
    dataset = data.dataset if data.source.gives_files else None
    return listed_sha256(dataset, split) if dataset is not None and split in dataset.splits else ""


def _given(section: Model | Data) -> dict[str, Any]:
    found = {}
    for field in fields(section):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if (value := getattr(section, field.name)) != default:
            found[field.name] = _without_none(plain(value))
    return found


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(entry) for name, entry in value.items() if entry is not None}
    return value


def _differences(old: Any, new: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old or {}, dict) and isinstance(new or {}, dict):
        old, new = old or {}, new or {}
        for name in sorted({*old, *new}):
            yield from _differences(old.get(name), new.get(name), f"{place}.{name}")
    elif old != new:
        yield place, old, new


def _text(value: Any) -> str:
    return "not given" if value is None else json.dumps(value, ensure_ascii=False)[:80]
