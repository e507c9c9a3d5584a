"""Make one report of partial ones: of runs that measured some cells of a spec each, or some of its criteria.

Nothing is judged here, and nothing becomes greener: a criterion has the verdict of the one run in which it had its
turn, and what no run reached stays not run, or left out.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.errors import UsageError
from retspec.records import MOST_PICTURES, Asked, Verdict, fair_share
from retspec.report.live import composed
from retspec.review.recorded.mergeable import different_circumstances, require_one_part, require_one_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retspec.records import Measured, Picture, Provenance, Report, Result

Named = tuple[str, "Report"]
"""A report, and the file that it is from."""


def merged(reports: Sequence[tuple[str, Report]]) -> Report:
    """Return one report of partial ones, at least one, each with the file that it is from.

    The cells of a matrix are in the order in which the reports have them, and so are the criteria of a cell, unless
    their places in the spec say more. A measurement that was made several times is the first one. The report began when
    the first did, and took the seconds of all.

    Raises UsageError where the reports are about other specs, subjects, or versions of retspec or torch, and for a
    criterion that has verdicts in two of them, unless these are equal in everything but times.
    """
    total = require_one_spec(reports)
    by_cell: dict[str, list[Named]] = {}
    for file, report in reports:
        for part in report.parts:
            by_cell.setdefault(part.cell, []).append((file, part))
    order = _in_order([[part.cell for part in report.parts] for _, report in reports])
    strict = any(part.strict for _, report in reports for part in report.parts)
    parts = [_merged_part(by_cell[cell]) for cell in order]
    left = total - len(parts)
    asked = _asked_of_all([report.parts[0].asked for _, report in reports])
    if not left and not any(part.unselected for part in parts):
        asked = Asked(overrides=asked.overrides)
    parts = [replace(part, strict=strict, asked=asked, unselected_cells=left) for part in parts]
    whole = composed(parts, seconds=_seconds(report for _, report in reports))
    return replace(whole, started=min(part.started for part in parts))


def without_gaps(report: Report) -> Report:
    """Return a merged report in which what no part has is a fault: a job that left nothing must not be green.

    The fault of cells that are in none is one of the first cell.
    """
    parts = [_with_faults(part, _missing(part.unselected, "criterion", "criteria")) for part in report.parts]
    parts[0] = _with_faults(parts[0], _missing(report.unselected_cells, "cell of the matrix", "cells of the matrix"))
    return replace(report, cells=tuple(parts)) if report.cells else parts[0]


def _with_faults(part: Report, *faults: str) -> Report:
    return replace(part, faults=(*part.faults, *filter(None, faults)))


def _missing(number: int, one: str, several: str) -> str:
    if not number:
        return ""
    what = f"1 {one} is" if number == 1 else f"{number} {several} are"
    return f"{what} in none of the merged results"


def _merged_part(named: Sequence[Named]) -> Report:
    """Return the report of one cell, or of a spec without a matrix."""
    total = require_one_part(named)
    parts = [part for _, part in named]
    results = _results(named)
    faults = [fault for part in parts for fault in part.faults]
    notes = [*(note for part in parts for note in part.notes), *different_circumstances(named)]
    return replace(
        parts[0],
        started=min(part.started for part in parts),
        seconds=_seconds(parts),
        results=results,
        unselected=total - len(results),
        measurements=_measurements(measured for part in parts for measured in part.measurements),
        faults=tuple(dict.fromkeys(faults)),
        notes=tuple(dict.fromkeys(notes)),
        pictures=_pictures(parts),
        interrupted=_interruption(parts, results),
        provenance=_provenance(parts),
    )


def _pictures(parts: Sequence[Report]) -> tuple[Picture, ...]:
    """Return the pictures of all runs, those that several have once."""
    every = dict.fromkeys(picture for part in parts for picture in part.pictures)
    return tuple(fair_share([*every], MOST_PICTURES, lambda picture: picture.group))


def _interruption(parts: Sequence[Report], results: Iterable[Result]) -> int:
    """Return the signal that ended a run whose criteria no other run has done since, or 0."""
    waiting = {result.criterion.id for result in results if result.verdict is Verdict.NOT_RUN}
    ended = [part for part in parts if part.interrupted]
    return next((part.interrupted for part in ended if waiting & {each.criterion.id for each in part.results}), 0)


def _results(named: Sequence[Named]) -> tuple[Result, ...]:
    """Return the one result of each criterion, in the order of the spec as far as it is known."""
    found: dict[str, list[tuple[str, Result]]] = {}
    for file, part in named:
        for result in part.results:
            found.setdefault(result.criterion.id, []).append((file, result))
    marks = [[result.criterion.mark for result in part.results] for _, part in named]
    files = {mark.file for each in marks for mark in each}
    if len(files) == 1 and all(each == sorted(each) for each in marks):
        order = sorted(found, key=lambda name: found[name][0][1].criterion.mark)
    else:
        order = _in_order([[result.criterion.id for result in part.results] for _, part in named])
    return tuple(_one_of(found[name]) for name in order)


def _one_of(found: Sequence[tuple[str, Result]]) -> Result:
    """Return the result that had its turn; if none had, the first."""
    (file, result), *others = [pair for pair in found if pair[1].verdict is not Verdict.NOT_RUN] or found[:1]
    for other_file, other in others:
        if not _is_same(result, other):
            verdicts = f"{result.verdict.value} in {file}, {other.verdict.value} in {other_file}"
            raise UsageError(
                f"{one_line(result.criterion.name)} has its own verdict in each of two reports: {verdicts}; "
                "leave one of them out, or run that criterion again alone"
            )
    return result


def _is_same(one: Result, other: Result) -> bool:
    """Whether two results are equal in everything but times, and how the path of the spec was written."""
    criterion = replace(other.criterion, mark=one.criterion.mark)
    return one == replace(other, criterion=criterion, seconds=one.seconds)


def _measurements(every: Iterable[Measured]) -> tuple[Measured, ...]:
    """Return each measurement once, with the criteria of all that read it, and what it cost altogether."""
    found: dict[str, list[Measured]] = {}
    for measured in every:
        found.setdefault(measured.key, []).append(measured)
    return tuple(
        replace(
            alike[0],
            facts=next((each.facts for each in alike if each.facts is not None), None),
            criteria=tuple(dict.fromkeys(name for each in alike for name in each.criteria)),
            seconds=sum({each.seconds: None for each in alike}),
        )
        for alike in found.values()
    )


def _provenance(parts: Sequence[Report]) -> Provenance:
    """Return the provenance of the first part that measured anything, with the hosts and files of all."""
    every = [part.provenance for part in sorted(parts, key=lambda part: not part.measurements)]
    hosts = dict.fromkeys(host for part in parts for host in part.provenance.hostname.split(", ") if host)
    return replace(
        every[0],
        checkpoint_sha256=next((each.checkpoint_sha256 for each in every if each.checkpoint_sha256), ""),
        adapter_sha256=next((each.adapter_sha256 for each in every if each.adapter_sha256), ""),
        predictions_sha256={name: sha256 for each in every for name, sha256 in each.predictions_sha256.items()},
        hostname=", ".join(hosts),
    )


def _asked_of_all(every: Sequence[Asked]) -> Asked:
    """Return what the options of every run asked for: a selection of one says nothing about all."""
    values = {field.name: [getattr(asked, field.name) for asked in every] for field in fields(Asked)}
    return Asked(**{name: found[0] for name, found in values.items() if all(value == found[0] for value in found)})


def _seconds(reports: Iterable[Report]) -> float:
    """Return the seconds of all; a report that is given twice counts once."""
    return sum(seconds for _, seconds in dict.fromkeys((report.started, report.seconds) for report in reports))


def _in_order(sequences: Iterable[Sequence[str]]) -> list[str]:
    """Return every name once, so that the order of each sequence holds; a new one comes before what follows it."""
    merged_names: list[str] = []
    known: set[str] = set()
    for names in sequences:
        waiting: list[str] = []
        for name in names:
            if name not in known:
                waiting.append(name)
            elif waiting:
                index = merged_names.index(name)
                merged_names[index:index] = waiting
                waiting = []
        merged_names += waiting
        known.update(names)
    return merged_names
