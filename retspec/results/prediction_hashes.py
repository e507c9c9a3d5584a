"""The SHA-256 of each file of predictions that a run reads: the judged ones, and those that criteria compare with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.regular_files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Plan

COMPARED = ("baseline", "runs", "listed_in")
"""The arguments of checks that name files of predictions, or a table of the images that these are of."""


def prediction_hashes(plan: Plan, *, made: bool = False) -> dict[str, str]:
    """Return the hash of each file by its name in the spec; one that cannot be read is left out: criteria report it.

    made: also of those that the run makes, which it has made by now.
    """
    section = plan.spec.predictions
    if section is None:
        return {}
    # before it is made, a file is not there yet, or from an earlier run, whose hash would be that of other predictions
    is_there = section.format and (made or section.make is None)
    given: list[Any] = [getattr(section, section.format, None) if is_there else None]
    given += [step.criterion.arguments.get(name) for step in plan.checks for name in COMPARED]
    folder, found = Path(plan.spec.file).resolve().parent, {}
    for file in dict.fromkeys(_files(given)):
        with suppress(OSError, ValueError):
            found[file] = sha256_of(folder / file)
    return found


def reads_predictions(plan: Plan, key: str) -> bool:
    """Whether a measurement of a plan reads files of predictions, or makes them."""
    return any(step.key == key and "prediction_files" in step.inputs.values() for step in plan.measurements)


def _files(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _files([*value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _files(each)
