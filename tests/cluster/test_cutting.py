"""How the cells of a run become tasks, and where the folders of the tasks are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.cluster.cutting import asked_of, cut
from retspec.cluster.run_folder import run_folder
from retspec.executors import packed, unpacked
from retspec.prepare import prepare_cells
from tests.cluster.tools import spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Plan

MODEL = {"factory": "made:by_me"}


def plans_of(spec: Path) -> list[Plan]:
    return prepare_cells(spec, entry_points=False)[0]


def test_cells_with_one_base_model_are_one_task(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"one": {}}, model=MODEL, matrix={"run.seed": [1, 2], "train.steps": [5, 6, 7]})
    assert cut(plans_of(spec), 1) == [[0, 1, 2], [3, 4, 5]]  # another seed draws other weights


@pytest.mark.parametrize(
    ("least", "sizes"), [(1, [6]), (2, [3, 3]), (3, [1, 2, 3]), (4, [1, 1, 2, 2]), (6, [1] * 6), (99, [1] * 6)]
)
def test_a_group_is_cut_into_at_least_as_many_tasks_as_asked_for(tmp_path: Path, least: int, sizes: list[int]) -> None:
    spec = spec_in(tmp_path, {"one": {}}, matrix={"train.steps": [5, 6, 7, 8, 9, 10]})
    tasks = cut(plans_of(spec), least)
    assert sorted(map(len, tasks)) == sizes
    assert sorted(index for task in tasks for index in task) == [*range(6)]


def test_what_is_asked_leaves_out_what_only_judges(tmp_path: Path) -> None:
    (plan,) = plans_of(spec_in(tmp_path, {"one": {}}))
    spec = spec_in(tmp_path, {"one": {}}, run={"executor": "pool", "resources": {"cores": 2}}, name="other")
    spec.write_text(spec.read_text().replace('"limit": 1', '"limit": 2'))
    assert asked_of(plans_of(spec)[0]) == asked_of(plan)
    assert asked_of(plans_of(spec_in(tmp_path, {"one": {"seconds": 1.0}}))[0]) != asked_of(plan)
    assert asked_of(plans_of(spec_in(tmp_path, {"one": {}}, run={"seed": 7}))[0]) != asked_of(plan)
    assert asked_of(plans_of(spec_in(tmp_path, {"one": {}}, run={"seed_count": 2}))[0]) != asked_of(plan)


def test_each_of_two_runs_at_once_has_a_folder(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"one": {}})
    with run_folder([spec], tmp_path) as first, run_folder([spec], tmp_path) as second:
        assert first.path != second.path
    with run_folder([spec], tmp_path) as again:
        assert again.path == first.path


def test_tasks_are_in_order_however_many_they_are(tmp_path: Path) -> None:
    with run_folder([spec_in(tmp_path, {"one": {}})], tmp_path) as folder:
        for number in (10_000, 9_999, 0):
            (folder.path / f"{number:04}").mkdir()
        assert [task.name for task in folder.tasks(tmp_path)] == ["0000", "9999", "10000"]


def test_a_packed_task_is_unpacked_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a/attempt-1").mkdir(parents=True)
    (tmp_path / "a/task.json").write_text("{}")
    (tmp_path / "a/attempt-1/results.json").write_text("[]")
    (tmp_path / "a/output.txt").write_text("not sent")
    unpacked(tmp_path / "b", packed(tmp_path / "a"))
    assert packed(tmp_path / "b") == packed(tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "b").rglob("*")) == ["attempt-1", "results.json", "task.json"]
