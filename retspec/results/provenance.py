"""The subject of a spec: what it puts under test. Equal subjects give comparable observations.

A subject has the model, its data, the recipe, the seed and the dtype; not the device, the limits or the names. Fields
at their default are left out, so a spec that writes the default has the same subject. Secrets are masked, as in every
record. Code behind a `factory:` and the content of files are known by their names alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.records import Spec, plain
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Difference = tuple[str, Any, Any]
"""A dotted path, its old value and its new value; None where there is no value."""

_MOST = 3
"""Number of differences that a sentence lists."""


def subject_of(spec: Spec) -> dict[str, Any]:
    """Return the subject of a spec as plain data, by section: `model`, `data`, `train`, `run`, any `predictions`."""
    folder = f"{Path(spec.file).absolute().parent}{os.sep}"
    sections = {name: _relative(folder, _without_defaults(getattr(spec, name))) for name in ("model", "data", "train")}
    if spec.training is not None:
        sections["train"] |= _relative(folder, _without_defaults(spec.training))
    if spec.predictions is not None:
        sections["predictions"] = _relative(folder, _without_defaults(spec.predictions))
    planted = {"fault": spec.run.fault} if spec.run.fault else {}
    subject: dict[str, Any] = Mask(spec.secrets).given(
        {**sections, "run": {"seed": spec.run.seed, "dtype": spec.run.dtype, **planted}}
    )
    return subject


def subject_sha256(subject: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a subject as canonical JSON."""
    canonical = json.dumps(subject, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """Yield each path at which two pieces of plain data differ, sorted."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif old != new:
        yield path, old, new


def other_subject(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Return the differences of two subjects as text, or an empty string when they are equal."""
    found = [
        f"{path} was {_as_text(old)} and is {_as_text(new)}"
        for path, old, new in differences(dict(recorded), dict(asked))
    ]
    more = f", and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more


def _as_text(value: Any) -> str:
    return "the default" if value is None else quoted(json.dumps(value, ensure_ascii=False))[1:-1]


def _without_defaults(value: Any) -> Any:
    """Return a section as plain data, without the fields that have their defaults, or nothing."""
    if not is_dataclass(value):
        return plain(value)
    kept = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: _without_defaults(entry) for field, entry in kept if entry not in (None, _default(field))}


def _relative(folder: str, value: Any) -> Any:
    """Return plain data with paths made relative to a folder, so that another checkout has the same subject."""
    if isinstance(value, dict):
        return {name: _relative(folder, entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_relative(folder, entry) for entry in value]
    return value.removeprefix(folder) if isinstance(value, str) else value


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
