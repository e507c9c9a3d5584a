"""Whether reports are parts of one: of the same spec and subject, measured with the same retspec and torch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line
from retspec.errors import UsageError
from retspec.results.provenance import other_subject
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retspec.records import Report

    Named = tuple[str, Report]

_CONTENTS = ("config", "checkpoint", "adapter")
"""What a part may have the hash of; empty where it read none."""
_LIBRARIES = ("retspec", "torch")
"""What must have the same version in all parts, or their values are not of one setup."""
_CIRCUMSTANCES = ("device", "dtype", "threads", "platform", "git_commit")
"""What may differ from machine to machine, and is stated where it does."""


def require_one_spec(reports: Sequence[Named]) -> int:
    """Raise UsageError where reports cannot be of one spec, or of one setup; return how many cells its matrix has."""
    _require("is a report of", reports, lambda report: report.name.removesuffix(f"[{report.cell}]"))
    _require("is of a spec with", reports, lambda report: "cells" if report.parts[0].cell else "no cells")
    _require("was run with --set", reports, lambda report: " ".join(report.parts[0].asked.overrides) or "nothing")
    parts = [(file, part) for file, report in reports for part in report.parts]
    for library in _LIBRARIES:
        _require(f"has {library}", parts, partial(_version, library))
    _require("has a matrix of cells:", reports, lambda report: len(report.parts) + report.unselected_cells)
    total = len(reports[0][1].parts) + reports[0][1].unselected_cells
    if len({part.cell for _, part in parts}) > total:
        raise UsageError(f"the reports have more than {total:,} cells, so that they are not of one spec")
    return total


def require_one_part(named: Sequence[Named]) -> int:
    """Raise UsageError where reports of a cell are not about the same; return how many criteria it has.

    The content of a file that a part did not read is not held against it.
    """
    file, first = named[0]
    where = f" of {one_line(first.cell)}" if first.cell else ""
    for other_file, other in named[1:]:
        if changed := other_subject(first.provenance.subject, other.provenance.subject):
            raise UsageError(f"{file} and {other_file} have other subjects{where}: {changed}")
    _require(f"has a spec{where} with the SHA-256", named, lambda part: part.provenance.spec_sha256)
    for name in _CONTENTS:
        read = [(file, part) for file, part in named if getattr(part.provenance, f"{name}_sha256")]
        _require(f"has a {name}{where} with the SHA-256", read, partial(_hash, name))
    _require_same_predictions(named, where)
    _require(f"has criteria{where}:", named, lambda part: len(part.results) + part.unselected)
    total = len(first.results) + first.unselected
    if len({result.criterion.id for _, part in named for result in part.results}) > total:
        raise UsageError(f"the reports have more than {total:,} criteria{where}, so that they are not of one spec")
    return total


def different_circumstances(named: Sequence[Named]) -> Iterator[str]:
    """Yield a note where the parts of a cell that measured anything did so under other circumstances."""
    parts = [part for _, part in named if part.measurements]
    found = {name: [getattr(part.provenance, name) for part in parts] for name in _CIRCUMSTANCES}
    libraries = sorted({name for part in parts for name in part.provenance.versions})
    found |= {name: [part.provenance.versions.get(name) for part in parts] for name in libraries}
    texts = (
        f"{name} ({' or '.join(dict.fromkeys(map(str, values)))})" for name, values in found.items() if _differ(values)
    )
    if differing := [*texts]:
        yield f"Merged from {len(named):,} reports, which differ in {listing(differing)}."


def _differ(values: Sequence[object]) -> bool:
    return any(value != values[0] for value in values[1:])


def _version(library: str, part: Report) -> str:
    return part.provenance.versions.get(library, "none")


def _hash(name: str, part: Report) -> str:
    return str(getattr(part.provenance, f"{name}_sha256"))


def _hash_of_predictions(name: str, part: Report) -> str:
    return part.provenance.predictions_sha256[name]


def _require_same_predictions(named: Sequence[Named], where: str) -> None:
    for name in dict.fromkeys(name for _, part in named for name in part.provenance.predictions_sha256):
        read = [(file, part) for file, part in named if name in part.provenance.predictions_sha256]
        _require(f"has predictions {one_line(name)}{where} with the SHA-256", read, partial(_hash_of_predictions, name))


def _require(words: str, named: Sequence[Named], fact: Callable[[Report], Any]) -> None:
    """Raise UsageError unless a fact is the same in all reports."""
    for file, report in named[1:]:
        was, found = fact(named[0][1]), fact(report)
        if was != found:
            first = f"{named[0][0]} {words} {one_line(str(was))}"
            raise UsageError(f"{first}, and {file} {words} {one_line(str(found))}: they cannot be merged")
