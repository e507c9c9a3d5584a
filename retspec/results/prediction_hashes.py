"""The SHA-256 of each file of predictions that a run reads: the judged ones, and those that criteria compare with."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Plan

COMPARED = ("baseline", "runs")
"""The arguments of checks that name files of predictions."""


def prediction_hashes(plan: Plan) -> dict[str, str]:
    """Return the hash of each file by its name in the spec, without those that the run makes.

    One that cannot be read is left out, too: criteria report it.
    """
    section = plan.spec.predictions
    if section is None:
        return {}
    # what the run makes is not there yet, or from an earlier run, whose hash would be that of other predictions
    given: list[Any] = [getattr(section, section.format, None) if section.format and section.make is None else None]
    given += [step.criterion.arguments.get(name) for step in plan.checks for name in COMPARED]
    folder, found = Path(plan.spec.file).resolve().parent, {}
    for file in dict.fromkeys(_files(given)):
        with suppress(OSError, ValueError), open_regular(folder / file) as stream:
            found[file] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _files(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _files([*value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _files(each)
