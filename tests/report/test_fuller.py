"""The results of a part never replace those of more of the same spec."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from retspec.errors import UsageError
from retspec.records import Observed, Outcome
from retspec.report.formats.html import html
from retspec.report.formats.results import json
from retspec.report.live import require_no_fuller
from retspec.running import run
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Plan

NAMES = ("first", "second", "third")
WHOLE = plan_of(*map(criterion, NAMES))
RESULTS = run_of(WHOLE, [Outcome(id=name, observed=Observed(0.7)) for name in NAMES])
PART = WHOLE.restricted_to({"first", "third"})


def require(plan: Plan, path: Path) -> None:
    require_no_fuller([([plan], None)], [{"anything": path}])


@pytest.mark.parametrize("render", [json.render, html.render], ids=["results", "a page with results"])
def test_a_part_never_replaces_more_of_its_spec(tmp_path: Path, render: object) -> None:
    path = tmp_path / "kept"
    require(PART, path)
    path.write_text(render(RESULTS))  # type: ignore[operator]
    with pytest.raises(UsageError, match="kept holds the results of 3 criteria of this spec, and this run of 2 would"):
        require(PART, path)
    require(WHOLE, path)
    other = replace(PART, spec=replace(PART.spec, name="another"))
    require(other, path)


def test_a_cell_never_replaces_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    cells = []
    for cell in ("r=4", "r=8"):
        plan = plan_of(*(criterion(name, cell=cell) for name in NAMES), cell=cell)
        cells.append(run_of(plan, [Outcome(id=name, observed=Observed(0.7)) for name in NAMES], cell=cell))
    path.write_text(json.render(replace(RESULTS, results=(), cells=tuple(cells))))
    one = replace(WHOLE, spec=replace(WHOLE.spec, unselected_cells=1))
    with pytest.raises(UsageError, match="holds the results of 6 criteria"):
        require(one, path)


@pytest.mark.parametrize("held", ["", "<testsuites/>", "{}"])
def test_what_holds_no_results_is_replaced(tmp_path: Path, held: str) -> None:
    (tmp_path / "file").write_text(held)
    require(PART, tmp_path / "file")


def test_a_part_as_large_as_the_last_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.render(replace(RESULTS, results=RESULTS.results[1:])))
    require(PART, path)


def test_a_run_of_a_part_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(before := json.render(replace(RESULTS, name="gate")))
    spec = {
        "retspec": 1,
        "name": "gate",
        "predictions": {"csv": "gone.csv", "id": "image", "label": "grade", "scores": ["p"]},
        "checks": {"predictions_complete": 0, "min_auroc": {"limit": 0.5, "judge": "bound"}},
    }
    with pytest.raises(UsageError, match="and this run of 1 would replace them; give its results another path"):
        run(spec, select=["complete"], reports={"json": path}, entry_points=False)
    assert path.read_text() == before
