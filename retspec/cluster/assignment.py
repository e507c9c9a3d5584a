"""What the node of a task is asked for: written by the front end, read by `retspec run-task`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from retspec.errors import UsageError
from retspec.executors import INSTRUCTIONS
from retspec.regular_files import read_regular
from retspec.whole_files import replace_whole

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 64 << 20


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Criteria to measure in some cells of a spec, and what the front end knows of both."""

    versions: dict[str, str]
    """Of the packages that a run measures with, at the front end: a node with others is refused."""
    spec: str
    """Its path from the working directory."""
    criteria: dict[str, tuple[str, ...]]
    """The ids of the criteria, by the name of the cell; the name is empty without a matrix."""
    asks: dict[str, str]
    """The hash of what each cell measures: the spec may change before a node reads it."""
    overrides: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """Those that the options name."""
    entry_points: bool = True
    gpus: int = 0
    """How many the node gives: with one, `device: auto` means that one, and never the CPU."""
    cores: int = 0
    """How many CPU cores the node gives; 0 for as many as the command finds."""

    def write(self, folder: Path) -> None:
        """Write it into the folder of the task; raises OSError."""
        replace_whole(folder / INSTRUCTIONS, msgspec.json.encode(self))


def read_assignment(folder: Path) -> Assignment:
    """Return what the task with this folder is; raises UsageError for a folder without, or from another retspec."""
    path = folder / INSTRUCTIONS
    try:
        return msgspec.json.decode(read_regular(path, _MOST) or b"", type=Assignment)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}; is the folder on a disk that this node sees?"
        ) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageError(f"{path} is not the task of this version of retspec: {error}") from None
