"""The attempts at a task: each has a folder of its own, in which its node writes results, or why it refuses."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from retspec.errors import UsageError
from retspec.regular_files import read_regular
from retspec.results.results_file import read_report
from retspec.review.recorded.taking_up import had_their_turn
from retspec.whole_files import replace_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retspec.records import Report, Result

RESULTS = "results.json"
REFUSAL = "refused.json"
"""Holds the sentence with which a node refuses a task."""
_LONGEST = 10_000


def new_attempt(folder: Path) -> Path:
    """Make the folder of the next attempt at a task; raises OSError."""
    number = 1
    while True:
        path = folder / f"attempt-{number}"
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def attempts(folder: Path) -> list[Path]:
    """Return the folders of the attempts so far, the first one first."""
    found: list[Path] = []
    while (path := folder / f"attempt-{len(found) + 1}").is_dir():
        found.append(path)
    return found


def read_results(attempt: Path) -> Report | None:
    """Return what the node of an attempt has written; None as long as it is not there, or cannot be read."""
    with suppress(UsageError):
        return read_report(attempt / RESULTS)
    return None


def refuse_task(attempt: Path, sentence: str) -> None:
    """Write why the node of an attempt does not measure; raises OSError."""
    replace_whole(attempt / REFUSAL, msgspec.json.encode(sentence))


def refusal(folder: Path) -> str:
    """Return why the last attempt was refused, or an empty string."""
    for attempt in reversed(attempts(folder)[-1:]):
        with suppress(OSError, ValueError, msgspec.DecodeError):
            return msgspec.json.decode(read_regular(attempt / REFUSAL, _LONGEST) or b"", type=str)
    return ""


def answered(report: Report) -> Iterator[tuple[str, Result]]:
    """Yield the results of criteria that were measured, each with the cell that it is of."""
    return ((part.cell, result) for part in report.parts for result in had_their_turn(part))
