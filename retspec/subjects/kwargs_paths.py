"""Paths among the arguments of a user's callable: `kwargs: {weights: {path: weights.pth}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KWARGS = "kwargs"
_KEY = "path"


def with_paths(arguments: Mapping[str, Any], folder: Path, section: str) -> dict[str, Any]:
    """Return arguments of a source in which each `{path: FILE}` under `kwargs` is an absolute path.

    It becomes one where the callable is called, not in the spec, whose hash is the same on every machine.

    folder: the one of the spec.
    section: its place in the spec, such as `model`.
    Raises SubjectError at the place of a path that leads nowhere.
    """
    given = arguments.get(KWARGS)
    if not isinstance(given, dict):
        return {**arguments}
    resolved = {name: _resolved(value, folder, f"{section}.{KWARGS}.{name}") for name, value in given.items()}
    return {**arguments, KWARGS: resolved}


def _resolved(value: object, folder: Path, place: str) -> object:
    if not isinstance(value, dict) or {*value} != {_KEY} or not isinstance(value[_KEY], str):
        return value
    found = folder / value[_KEY]
    if not found.exists():
        beside = [each.name for each in found.parent.iterdir()] if found.parent.is_dir() else []
        near = did_you_mean(found.name, beside)
        raise SubjectError(f"there is nothing at {value[_KEY]}, beside the spec{near}", path=f"{place}.{_KEY}")
    return str(found)
