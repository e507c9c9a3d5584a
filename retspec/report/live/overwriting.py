"""Refuse reports that would replace each other, or a file that the run reads; files are compared, not path names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.errors import UsageError
from retspec.records import ORIGIN_SUFFIX
from retspec.subjects.data.tars.braces import TooManyNamesError, expanded

if TYPE_CHECKING:
    from retspec.records import Plan, Spec

_FILE_NAME = re.compile(r"[^\s:${}*]{1,200}\.[A-Za-z]\w{0,7}")
"""What may be the name of a file that is not there."""
_LONGEST_PATH = 4096
"""Characters; a longer text is not a path on any system that retspec runs on."""


def require_apart(outputs: Iterable[str | Path], inputs: Iterable[Any], folders: Iterable[str | Path] = ()) -> None:
    """Raise UsageError if two outputs are the same file, or an output is a file that an input names.

    inputs: records, mappings, lists and texts; each text in them that is the path of a file counts as an input.
    folders: where relative paths may start, in addition to the working directory.

    Symbolic and hard links are resolved: a file is identified by device and inode, or by its real path until it exists.
    The summary of a GitHub job, to which verdicts are appended, is an output as well.
    """
    written = require_distinct([*outputs, *summaries()])
    bases = [Path(), *map(Path, folders)]
    for text in dict.fromkeys(_texts(inputs)):
        for base in bases:
            if (replaced := written.get(_inode(base / text))) is not None:
                raise UsageError(f"{replaced} would replace {quoted(text)}, which is read; write it somewhere else")


def require_distinct(outputs: Iterable[str | Path], *, hint: str = "") -> dict[object, Path]:
    """Return the outputs by their identity; raises UsageError if two are the same file, with a hint at its end."""
    files: dict[object, list[Path]] = {}
    streams = _streams()
    for output in map(Path, outputs):
        files.setdefault(identity := _identity(output), []).append(output)
        if identity in streams:
            raise UsageError(f"{output} is the file that the output goes to; give each report its own path")
    for same in files.values():
        if len(same) > 1:
            first, *others = dict.fromkeys(same)
            if others:
                raise UsageError(f"{first} and {others[0]} are the same file; give each report its own path{hint}")
            raise UsageError(
                f"{len(same)} reports would be written to the same file {first}; give each its own path{hint}"
            )
    return {identity: output for identity, (output,) in files.items()}


def summaries() -> list[Path]:
    """Return the file for the summary of a GitHub job, if this runs in one.

    It is named by an environment variable, see
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    return [Path(path)] if path and os.environ.get("GITHUB_ACTIONS") == "true" else []


def read_by(spec: Spec) -> list[Any]:
    """Return all parts of a spec that may name a file that its run reads, those that may be thousands last."""
    criteria = [(criterion.arguments, criterion.regression) for criterion in spec.criteria]
    predictions = [] if spec.predictions is None or spec.predictions.make else [spec.predictions, *_with_origins(spec)]
    subject = [spec.model, spec.data, spec.training, predictions]
    return [spec.file, spec.extended, *subject, spec.config, spec.plugins, criteria, [*_shards(spec)]]


def _shards(spec: Spec) -> Iterator[str]:
    """Yield the shards that patterns such as `train-{000..146}.tar` stand for, as the data source reads them."""
    if spec.data.source == "webdataset":
        for pattern in _texts([spec.data.value, spec.data.arguments]):
            with suppress(TooManyNamesError):  # the source says so
                yield from expanded(pattern)


def written_by(plan: Plan) -> list[Path]:
    """Return the files of predictions that a run writes besides its reports."""
    section = plan.spec.predictions
    is_read = any("prediction_files" in step.inputs.values() for step in plan.measurements)
    return [*_with_origins(plan.spec)] if section is not None and section.make is not None and is_read else []


def _with_origins(spec: Spec) -> Iterator[Path]:
    """Yield the files of predictions that a spec names, each with the one that says where it is from."""
    folder = Path(spec.file).parent
    for file in spec.predictions.files.values() if spec.predictions else ():
        yield from (folder / file, folder / (file + ORIGIN_SUFFIX))


def paths_among(inputs: Iterable[Any], folders: Iterable[str | Path]) -> Iterator[Path]:
    """Yield the paths of files that texts in records, mappings and lists name, and of those that look like one."""
    bases = [Path(), *map(Path, folders)]
    for text in dict.fromkeys(_texts(inputs)):
        for base in bases:
            with suppress(OSError, ValueError):  # too long, or a NUL in it
                if (base / text).is_file() or _FILE_NAME.fullmatch(text):
                    yield base / text


def folders_among(inputs: Iterable[Any], folders: Iterable[str | Path]) -> Iterator[Path]:
    """Yield the folders that texts in records, mappings and lists name, each in the first place where it is."""
    bases = [*map(Path, folders), Path()]
    for text in dict.fromkeys(_texts(inputs)):
        with suppress(OSError, ValueError):
            yield from [base / text for base in bases if (base / text).is_dir()][:1]


def folders_of(plans: Iterable[Plan]) -> list[Path]:
    """Return the folders where the relative paths of some specs may start."""
    return [*dict.fromkeys(folder for plan in plans for folder in plan.spec.folders)]


def _identity(path: Path) -> object:
    return _inode(path) or os.path.realpath(path)


def _streams() -> set[object]:
    """Return the files that standard output and standard error are redirected to: a report would cut them off."""
    found: set[object] = set()
    for descriptor in (1, 2):
        with suppress(OSError):  # it is closed
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                found.add((status.st_dev, status.st_ino))
    return found


def _inode(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if it does not exist.

    The path is resolved as for writing, which also finds the file `a/../b` where there is no `a`.
    """
    try:
        found = Path(os.path.realpath(path)).stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return found.st_dev, found.st_ino


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value that could be paths."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str | Path):
        if 0 < len(text := str(value)) <= _LONGEST_PATH:
            yield text
    elif isinstance(value, Mapping):
        yield from _texts([*value.values()])
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _texts([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for item in value:
            yield from _texts(item)
