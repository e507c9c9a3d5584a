"""Read the files that retspec writes: results, also those inside an HTML report, and baselines.

They come from disk, from an artifact store, from a colleague. A file of another kind, of another version, or damaged is
reported in one line.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from retspec.characters import one_line, quoted
from retspec.errors import UsageError, did_you_mean
from retspec.records import DEEPEST, Baseline, Report, is_deep
from retspec.regular_files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
"""Version of both formats."""

MOST = 256 << 20
"""Bytes of a file: more than any run writes, and few enough to read."""
_ROUND_IT = 16
"""Levels of mappings and lists around what a check recorded, and some more."""

_LONGEST = 1e12
"""What a run takes in seconds, or leaves out, at most: 30,000 years."""
_AMOUNTS = ("seconds", "unselected", "unselected_cells")
"""Fields of a report that are never below 0."""
RESULTS_ID = "retspec-results"
"""The id of the element of an HTML report that holds its results."""
_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some programs put before a page that they save."""

T = TypeVar("T")


def read_report(path: Path) -> Report:
    """Return the report in a results.json, or in an HTML report, which holds its results.

    Raises UsageError when the file is missing, holds no results of this version, or is damaged.
    """
    document = _document(path)
    report = _with_defaults(_converted(path, document, Report, _RESULTS))
    _require_dates(path, report)
    _require_amounts(path, report)
    names = Counter(result.criterion.name for result in report.every_result)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise UsageError(f"{path}: it is damaged: the criterion {quoted(twice[0])} is in it more than once")
    if document.get("exit_code", report.exit_code) != report.exit_code:
        raise UsageError(
            f"{path}: it is damaged: its exit_code is not that of its verdicts, which is {report.exit_code}"
        )
    return report


def _with_defaults(report: Report) -> Report:
    """Return a report whose fields are all set: msgspec leaves those out again that a file did not have."""
    return replace(report, cells=tuple(map(_with_defaults, report.cells)))


def _require_amounts(path: Path, report: Report) -> None:
    """Refuse a report that took less than no time, or more than any run, or left out less than nothing."""
    for part in (report, *report.parts):
        for name in _AMOUNTS:
            value = getattr(part, name)
            if not 0 <= value <= _LONGEST:
                raise UsageError(f"{path}: it is damaged: `{name}` is {value:.3g}, which no run comes to")


def _require_dates(path: Path, report: Report) -> None:
    """Refuse a report whose parts do not say when they began: that day decides whether its waivers were valid."""
    for part in (report, *report.parts):
        try:
            datetime.strptime(part.started, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - it is UTC by definition
        except ValueError:
            began = quoted(f"{part.started:.40}")
            raise UsageError(
                f"{path}: it is damaged: `started` is {began}, and not a time such as 2026-01-31T09:30:00"
            ) from None


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in a file.

    Raises UsageError when the file is missing, is not a baseline of this version, or is damaged.
    """
    return _converted(path, _document(path), Baseline, _BASELINE)


@dataclass(frozen=True)
class _Format:
    """How a file that retspec wrote is recognised."""

    version: str
    """The key that holds the version."""
    needs: str
    """A key that every such file has."""
    name: str


_RESULTS = _Format("retspec", "results", "results.json")
_BASELINE = _Format("retspec_baseline", "values", "baseline, as `retspec bless` writes it")


def _converted(path: Path, document: Any, kind: type[T], form: _Format) -> T:
    if not isinstance(document, dict) or form.version not in document or form.needs not in document:
        raise UsageError(f"{path}: this is not a {form.name}")
    version = document[form.version]
    if version != VERSION or isinstance(version, bool):
        raise UsageError(f"{path}: version {version!r:.40} of the format; this retspec reads version {VERSION}")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: it is damaged: {one_line(str(error))}") from None


def _document(path: Path) -> Any:
    try:
        content = _json_in(path)
        document = msgspec.json.decode(content)
        _require_single_keys(path, content)
    except FileNotFoundError:
        others = [found.name for found in path.parent.glob("*") if found.suffix in {".json", ".html"}]
        near = did_you_mean(path.name, others)
        raise UsageError(f"{path}: there is no such file{near}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: this is not JSON: {one_line(str(error))}") from None
    except (OSError, ValueError) as error:  # a ValueError means a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{str(path)!r} cannot be read: {reason}") from None
    if is_deep(document, DEEPEST + _ROUND_IT):
        raise UsageError(f"{path}: it is damaged: it is nested deeper than anything that is recorded")
    return document


def _require_single_keys(path: Path, content: bytes) -> None:
    """Refuse an object that has a key twice: readers of JSON differ in which of the two counts."""

    def paired(pairs: list[tuple[str, Any]]) -> None:
        twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        if twice:
            raise UsageError(f"{path}: it is damaged: the key {quoted(f'{twice[0]:.40}')} is twice in one object")

    # Numbers stay text: they are not needed, and one of more than 4,300 digits would raise ValueError.
    json.loads(content, object_pairs_hook=paired, parse_int=str, parse_float=str)


def _json_in(path: Path) -> bytes:
    """Return the results inside an HTML report; anything else as it is. What others wrote into it is escaped there."""
    content = read_regular(path, MOST)
    if content is None:
        raise UsageError(f"{path}: it is larger than {MOST >> 20} MiB; is this a results.json?")
    if not content.removeprefix(_MARK).lstrip().startswith(b"<"):  # not every page has a doctype, and no JSON begins so
        return content
    _, begin, following = content.partition(f'id="{RESULTS_ID}">'.encode())
    if not begin:
        raise UsageError(f"{path}: this HTML file holds no results; give it as retspec wrote it, or a results.json")
    return following.partition(b"</script>")[0]
