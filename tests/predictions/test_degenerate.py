"""A table from which nothing follows never makes a criterion green, however lax its limit is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from retspec.errors import SpecError
from retspec.records import Verdict
from tests.checks.planting import criteria
from tests.here import run_here
from tests.predictions.compared import model
from tests.predictions.planting import FOLDER, Columns, healthy, write

if TYPE_CHECKING:
    from collections.abc import Callable

LAX = Path(__file__).parent / "lax.yaml"
COMPLETE = "predictions_complete"
CHECKS = frozenset(criteria(LAX))
COMPUTED = CHECKS - {COMPLETE}
OF_PATIENTS = COMPUTED - {"seed_spread"}
"""What `seed_spread` counts is runs."""
CLASSES = frozenset({"min_class_recall", "mean_auroc"})
CAMERAS = frozenset({"max_subgroup_gap", "min_subgroup_positives"})


@dataclass(frozen=True)
class Degenerate:
    """A change of a healthy table, in all runs alike, and the criteria that cannot be met by it."""

    name: str
    change: Callable[[Columns], Columns]
    never_green: frozenset[str]


def _judged(columns: Columns, name: str, values: object) -> Columns:
    """Return the table with other values of a column in the judged split."""
    judged = columns["split"] == "test"
    where = judged[:, None] if name == "scores" else judged
    return columns | {name: np.where(where, values, columns[name])}  # type: ignore[call-overload]


def _first_blank(columns: Columns) -> Columns:
    scores = columns["scores"].copy()
    scores[np.flatnonzero(columns["split"] == "test")[0]] = np.nan
    return columns | {"scores": scores}


def _twice(columns: Columns) -> Columns:
    return {name: np.concatenate([values, values[-1:]]) for name, values in columns.items()}


def _camera_of_val(columns: Columns) -> Columns:
    camera = columns["camera"].copy()
    camera[np.flatnonzero(columns["split"] == "val")[:80]] = "C"
    return columns | {"camera": camera}


TABLES = (
    Degenerate("one class", lambda table: _judged(table, "grade", 0), COMPUTED),
    Degenerate("absent class", lambda table: _judged(table, "grade", table["grade"].clip(0, 3)), CLASSES),
    Degenerate("constant scores", lambda table: _judged(table, "scores", 0.2), COMPUTED),
    Degenerate("one constant score of each class", lambda table: _judged(table, "scores", [[1, 0, 0, 0, 0]]), COMPUTED),
    Degenerate("blank score", _first_blank, CHECKS),
    Degenerate("image twice", _twice, CHECKS),
    Degenerate("one patient", lambda table: _judged(table, "patient", "P"), OF_PATIENTS),
    Degenerate("empty subgroup", _camera_of_val, CAMERAS),
    Degenerate(
        "one subgroup",
        lambda table: table | {"camera": np.full(len(table["grade"]), "A")},
        CAMERAS - {"min_subgroup_positives"},
    ),
    Degenerate(
        "no row of the judged split", lambda table: table | {"split": np.full(len(table["grade"]), "val")}, CHECKS
    ),
)


def _overrides(folder: Path, change: Callable[[Columns], Columns]) -> list[str]:
    tables = {"judged": healthy(), "baseline": model(3), "one": model(4), "other": model(5)}
    paths = {name: write(folder / f"{name}.csv", change(table)) for name, table in tables.items()}
    return [
        f'predictions.csv="{paths["judged"]}"',
        f'checks.non_inferiority.with.baseline="{paths["baseline"]}"',
        f'checks.seed_spread.with.runs=["{paths["one"]}", "{paths["other"]}"]',
        f'checks.predictions_complete.with.listed_in="{os.environ[FOLDER]}/listed.csv"',
    ]


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_what_says_nothing_is_never_green(tmp_path: Path, table: Degenerate) -> None:
    results = run_here(LAX, _overrides(tmp_path, table.change))
    green = {name for name, result in results.items() if result.verdict in {Verdict.MET, Verdict.WARNED}}
    assert green & table.never_green == set(), {name: results[name].reason for name in green & table.never_green}
    assert {*results} == CHECKS


@pytest.mark.usefixtures("tables")
def test_the_same_limits_are_met_by_a_healthy_table(tmp_path: Path) -> None:
    """Else they would say nothing about the others."""
    results = run_here(LAX, _overrides(tmp_path, lambda table: table))
    assert {name: result.reason for name, result in results.items() if result.verdict is not Verdict.MET} == {}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("check", ["min_sensitivity_at_specificity", "operating_point_drift"])
def test_a_threshold_from_the_judged_split_is_an_error_of_the_spec(check: str) -> None:
    with pytest.raises(SpecError, match=f"{check}: the threshold is chosen on 'test', the split that is judged"):
        run_here(LAX, [f"checks.{check}.with.threshold_from=test"])
