"""Read the files that retspec writes: results, also those inside an HTML report, and baselines.

They come from disk, from an artifact store, from a colleague. A file of another kind, of another version, or damaged is
reported in one line.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from retspec.characters import one_line, quoted
from retspec.errors import UsageError, did_you_mean
from retspec.records import Baseline, Report

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
"""Version of both formats."""

RESULTS_ID = "retspec-results"
"""The id of the element of an HTML report that holds its results."""
_HTML = b"<!doctype html"

T = TypeVar("T")


def read_report(path: Path) -> Report:
    """Return the report in a results.json, or in an HTML report, which holds its results.

    Raises UsageError when the file is missing, holds no results of this version, or is damaged.
    """
    document = _document(path)
    report = _converted(path, document, Report, _RESULTS)
    names = Counter(result.criterion.name for result in report.every_result)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise UsageError(f"{path}: it is damaged: the criterion {quoted(twice[0])} is in it more than once")
    if document.get("exit_code", report.exit_code) != report.exit_code:
        raise UsageError(
            f"{path}: it is damaged: its exit_code is not that of its verdicts, which is {report.exit_code}"
        )
    return report


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
        return msgspec.json.decode(_json_in(path))
    except FileNotFoundError:
        others = [found.name for found in path.parent.glob("*") if found.suffix in {".json", ".html"}]
        near = did_you_mean(path.name, others)
        raise UsageError(f"{path}: there is no such file{near}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: this is not JSON: {one_line(str(error))}") from None
    except (OSError, ValueError) as error:  # a ValueError means a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{str(path)!r} cannot be read: {reason}") from None


def _json_in(path: Path) -> bytes:
    """Return the results inside an HTML report; anything else as it is. What others wrote into it is escaped there."""
    content = path.read_bytes()
    if content.lstrip()[: len(_HTML)].lower() != _HTML:
        return content
    _, begin, following = content.partition(f'id="{RESULTS_ID}">'.encode())
    if not begin:
        raise UsageError(f"{path}: this HTML file holds no results; give it as retspec wrote it, or a results.json")
    return following.partition(b"</script>")[0]
