"""Reports of parts of a spec, made one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.errors import UsageError
from retspec.judge import not_run
from retspec.records import Asked, Measured, Picture, Provenance, Report, Result
from retspec.report.live import composed
from retspec.review.recorded import merged
from tests.report.formats.sample import criterion, judged, report

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSIONS = {"retspec": "1.0", "torch": "2.10.0", "timm": "1.0.21"}


def result_of(name: str, line: int, value: float = 0.7, cell: str = "") -> Result:
    return judged(criterion(name, line=line, cell=cell), value)


def part_of(*results: Result, cell: str = "", **changes: Any) -> Report:
    provenance = Provenance(
        spec_sha256=f"5e{cell}",
        subject={"model": {"rank": cell}},
        device="cpu",
        hostname="n1",
        versions=VERSIONS,
    )
    name = f"sweep[{cell}]" if cell else "sweep"
    return report(*results, **{"name": name, "cell": cell, "provenance": provenance, **changes})


def of_same(first: Report, **provenance: Any) -> Report:
    return replace(first, provenance=replace(first.provenance, **provenance))


def without_times(whole: Report) -> Report:
    """Return a report without times, and without what only they say: which measurement was made first."""
    parts = tuple(without_times(part) for part in whole.cells)
    results = tuple(replace(result, seconds=0) for result in whole.results)
    in_order = sorted(whole.measurements, key=lambda measured: measured.key)
    measurements = tuple(replace(measured, seconds=0) for measured in in_order)
    return replace(whole, seconds=0, started="", cells=parts, results=results, measurements=measurements)


def whole_of(cells: Sequence[str], sizes: Sequence[int]) -> Report:
    """Return a whole report of that many criteria for each cell."""
    parts = []
    for cell, size in zip(cells, sizes, strict=True):
        names = [f"c{number:02}" for number in range(size)]
        results = [result_of(name, line, 0.4 + 0.02 * line, cell) for line, name in enumerate(names, 10)]
        facts = [Measured(key=f"facts of {name}", facts={"of": name}, seconds=2, criteria=(name,)) for name in names]
        parts.append(part_of(*results, cell=cell, measurements=tuple(facts)))
    return composed(parts, seconds=1)


def share_of(part: Report, names: set[str], *, leaves_out: bool) -> Report:
    """Return what a run of some criteria of a part reports."""
    kept = [
        result if result.criterion.id in names else not_run(result.criterion, "the run ended before it was reached")
        for result in part.results
        if result.criterion.id in names or not leaves_out
    ]
    made = tuple(measured for measured in part.measurements if names.intersection(measured.criteria))
    asked = Asked(select=tuple(names)) if leaves_out else Asked(cells=(part.cell,))
    left = len(part.results) - len(kept)
    return replace(part, results=tuple(kept), unselected=left, measurements=made, asked=asked)


@given(st.data())
def test_any_split_of_a_report_merges_back_to_it(data: st.DataObject) -> None:
    cells = data.draw(st.sampled_from([[""], ["r=4"], ["r=4", "r=8", "r=16"]]))
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=len(cells), max_size=len(cells)))
    whole = whole_of(cells, sizes)
    shares = data.draw(st.integers(1, 4))
    reports = []
    taken = [[data.draw(st.integers(0, shares - 1)) for _ in part.results] for part in whole.parts]
    for share in range(shares):
        leaves_out = data.draw(st.booleans())
        chosen = [
            share_of(part, names, leaves_out=leaves_out)
            for part, takers in zip(whole.parts, taken, strict=True)
            for names in [{r.criterion.id for r, taker in zip(part.results, takers, strict=True) if taker == share}]
            if names or not leaves_out
        ]
        left = len(cells) - len(chosen)
        if chosen:
            parts = [replace(part, unselected_cells=left) for part in chosen]
            reports.append((f"{share}.json", composed(parts, seconds=1)))
    found = merged(reports)
    assert found.is_whole
    by_cell = sorted(without_times(found).parts, key=lambda part: cells.index(part.cell))
    assert by_cell == [*without_times(whole).parts]
    assert replace(without_times(found), cells=without_times(whole).cells) == without_times(whole)
    assert found.exit_code == whole.exit_code


def test_what_no_run_reached_is_not_green() -> None:
    one, two, three = (result_of(name, line) for line, name in enumerate(["one", "two", "three"], 10))
    waiting = not_run(two.criterion, "the run ended before it was reached")
    first = part_of(one, waiting, unselected=1, interrupted=15)
    last = part_of(three, unselected=2)
    found = merged([("a", first), ("b", last)])
    assert [result.verdict.value for result in found.results] == ["met", "not run", "met"]
    assert (found.unselected, found.interrupted, found.exit_code) == (0, 15, 143)
    assert merged([("a", part_of(one, unselected=2)), ("b", last)]).unselected == 1
    done = merged([("a", first), ("b", part_of(two, unselected=2))])
    assert (done.unselected, done.interrupted, done.exit_code) == (1, 0, 0), "another run has done what was waiting"
    whole = merged([("a", first), ("b", last), ("c", part_of(two, unselected=2))])
    assert (whole.is_whole, whole.interrupted, whole.exit_code) == (True, 0, 0)


def test_cells_and_criteria_are_in_the_order_of_the_runs() -> None:
    def cells(*names: str) -> Report:
        return composed([part_of(result_of("one", 9, cell=name), cell=name) for name in names], seconds=1)

    runs = [cells("a", "d"), cells("c", "d"), cells("e", "b")]
    runs = [replace(run, unselected_cells=3) for run in runs]
    again = not_run(criterion("one", line=9, cell="d"), "interrupted")
    runs[1] = replace(runs[1], cells=(runs[1].cells[0], replace(runs[1].cells[1], results=(again,))))
    found = merged([("1", runs[0]), ("2", runs[1]), ("3", runs[2])])
    assert [part.cell for part in found.cells] == ["a", "c", "d", "e", "b"]
    assert {part.unselected_cells for part in (found, *found.cells)} == {0}


def test_what_was_recorded_beside_the_verdicts_is_united() -> None:
    one, two = result_of("one", 10), result_of("two", 11)
    picture = Picture(caption="Grad 0", group="train", image="data:,")
    training = Measured(key="training", facts=[1.0])
    first = part_of(one, unselected=1, seconds=3, faults=("a fault",), notes=("a note",), pictures=(picture,))
    first = replace(first, measurements=(replace(training, seconds=1, criteria=("one",)),), strict=True)
    second = part_of(two, unselected=1, seconds=4, started="2026-01-14T00:00:00", notes=("a note", "another"))
    second = replace(second, measurements=(replace(training, seconds=2, criteria=("two",)),), pictures=(picture,))
    second = of_same(second, hostname="n2", device="cuda", checkpoint_sha256="c0")
    found = merged([("a", first), ("b", second)])
    assert found.measurements == (replace(training, seconds=3, criteria=("one", "two")),)
    assert (found.seconds, found.started, found.strict) == (7, "2026-01-14T00:00:00", True)
    assert (found.faults, found.pictures) == (("a fault",), (picture,))
    differ = "Merged from 2 reports, which differ in device (cpu or cuda)."
    assert found.notes == ("a note", "another", differ)
    assert (found.provenance.hostname, found.provenance.checkpoint_sha256) == ("n1, n2", "c0")


def test_a_criterion_has_one_verdict() -> None:
    one = part_of(result_of("one", 10))
    assert merged([("a", one), ("b", replace(one, results=(replace(one.results[0], seconds=9),)))]) == one
    other = part_of(result_of("one", 10, 0.1))
    said = "one has its own verdict in each of two reports: met in a.json, missed in b.json; leave one of them out"
    with pytest.raises(UsageError, match=f"^{re.escape(said)}"):
        merged([("a.json", one), ("b.json", other)])


BASE = part_of(result_of("one", 10), unselected=1)
ONE_CELL = part_of(result_of("one", 10, cell="r=4"), cell="r=4", unselected_cells=1)
OTHERS = {
    "another spec": (BASE, of_same(BASE, spec_sha256="bad"), "a has a spec with the SHA-256 5e, and b has a spec"),
    "another name": (BASE, replace(BASE, name="other"), "a is a report of sweep, and b is a report of other"),
    "another subject": (
        BASE,
        of_same(BASE, subject={"model": {"rank": 8}}),
        'a and b have other subjects: model.rank was "" and is 8',
    ),
    "another retspec": (
        BASE,
        of_same(BASE, versions={**VERSIONS, "retspec": "0.9"}),
        "a has retspec 1.0, and b has retspec 0.9: they cannot be merged",
    ),
    "another torch": (BASE, of_same(BASE, versions={"retspec": "1.0"}), "a has torch 2.10.0, and b has torch none"),
    "another checkpoint": (
        of_same(BASE, checkpoint_sha256="c0"),
        of_same(BASE, checkpoint_sha256="c1"),
        "a has a checkpoint with the SHA-256 c0, and b has a checkpoint with the SHA-256 c1",
    ),
    "other predictions": (
        of_same(BASE, predictions_sha256={"val": "c0"}),
        of_same(BASE, predictions_sha256={"val": "c1"}),
        "a has predictions val with the SHA-256 c0",
    ),
    "other overrides": (
        BASE,
        replace(BASE, asked=Asked(overrides=("run.seed=1",))),
        "a was run with --set nothing, and b was run with --set run.seed=1",
    ),
    "more criteria": (BASE, replace(BASE, unselected=2), "a has criteria: 2, and b has criteria: 3"),
    "too many criteria": (
        part_of(result_of("one", 10)),
        part_of(result_of("two", 11)),
        "the reports have more than 1 criteria, so that they are not of one spec",
    ),
    "no cells": (BASE, ONE_CELL, "a is of a spec with no cells, and b is of a spec with cells"),
    "more cells": (
        ONE_CELL,
        replace(ONE_CELL, unselected_cells=2),
        "a has a matrix of cells: 2, and b has a matrix of cells: 3",
    ),
    "another torch in another cell": (
        ONE_CELL,
        of_same(part_of(result_of("one", 10, cell="r=8"), cell="r=8", unselected_cells=1), versions={"retspec": "1.0"}),
        "a has torch 2.10.0, and b has torch none",
    ),
}


@pytest.mark.parametrize(("first", "other", "said"), OTHERS.values(), ids=OTHERS)
def test_reports_that_are_not_of_one_run_are_refused(first: Report, other: Report, said: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(said)}"):
        merged([("a", first), ("b", other)])
