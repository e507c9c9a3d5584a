"""What a node does with the folder of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from retspec.cli import main
from retspec.cluster.assignment import Assignment, read_assignment
from retspec.cluster.attempts import answered, attempts, read_results, refusal
from retspec.cluster.cutting import asked_of
from retspec.cluster.node_run import NodeRun
from retspec.errors import UsageError
from retspec.prepare import prepare_cells
from tests.cluster.tools import lines, spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Plan

CRITERIA: dict[str, dict[str, object]] = {"one": {}, "two": {}}


def task_for(spec: Path, **given: int) -> Path:
    """Write the task of a whole spec, and return its folder."""
    plans, catalog = prepare_cells(spec, entry_points=False)
    folder = spec.parent / "0000"
    Assignment(
        versions=dict(catalog.versions),
        spec=str(spec),
        criteria={plan.spec.cell: tuple(step.criterion.id for step in plan.checks) for plan in plans},
        asks={plan.spec.cell: asked_of(plan) for plan in plans},
        entry_points=False,
        **given,
    ).write(folder)
    return folder


def ids(attempt: Path) -> list[str]:
    report = read_results(attempt)
    assert report is not None
    return [result.criterion.id for _, result in answered(report)]


def test_a_second_attempt_measures_what_the_first_has_not(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, CRITERIA)
    folder = task_for(spec)
    whole = read_assignment(folder)
    # The first attempt is asked for one criterion only, as if it had been lost after that.
    msgspec.structs.replace(whole, criteria={"": ("one",)}, asks={"": asked_of(_plan(spec, "one"))}).write(folder)
    assert main(["run-task", str(folder)]) == 0
    whole.write(folder)
    assert main(["run-task", str(folder)]) == 0
    assert [ids(attempt) for attempt in attempts(folder)] == [["one"], ["two"]]
    assert main(["run-task", str(folder)]) == 0
    assert (lines(spec, "one"), lines(spec, "two")) == (1, 1)


def _plan(spec: Path, criterion: str) -> Plan:
    (plan,), _ = prepare_cells(spec, entry_points=False)
    return plan.restricted_to([criterion])


def test_only_the_cells_of_the_task_are_measured(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, {"one": {}}, matrix={"run.seed": [1, 10, 100]})
    folder = task_for(spec)
    whole = read_assignment(folder)
    kept = "seed=1"  # which the names of the others contain
    msgspec.structs.replace(whole, criteria={kept: ("one",)}, asks={kept: whole.asks[kept]}).write(folder)
    assert main(["run-task", str(folder)]) == 0
    (attempt,) = attempts(folder)
    report = read_results(attempt)
    assert report is not None
    assert [cell for cell, _ in answered(report)] == [kept]


def test_a_changed_spec_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = spec_in(tmp_path, CRITERIA)
    folder = task_for(spec)
    spec_in(tmp_path, {"one": {"seconds": 0.1}, "two": {}})
    assert main(["run-task", str(folder)]) == 2
    assert refusal(folder) == "the spec, or what it refers to, is not the one that was submitted; run it again"
    assert refusal(folder) in capsys.readouterr().err


def test_other_limits_are_no_other_task(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, CRITERIA)
    folder = task_for(spec)
    spec.write_text(spec.read_text().replace('"limit": 1', '"limit": 2'))
    assert main(["run-task", str(folder)]) == 1  # the node's own verdict, which counts for nothing
    assert refusal(folder) == ""


def test_resources_decide_device_and_threads(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, CRITERIA)
    node = NodeRun(task_for(spec, gpus=1, cores=3))
    prepared = prepare_cells(spec, entry_points=False)
    ((plans, _),) = node.chosen([prepared])
    run = plans[0].spec.run
    assert (run.device, run.threads) == ("cuda", 3)  # on a node without a GPU no criterion gets a verdict then


def test_a_device_and_threads_of_the_spec_stay(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, CRITERIA, run={"device": "cpu", "threads": 1})
    node = NodeRun(task_for(spec, gpus=1, cores=3))
    ((plans, _),) = node.chosen([prepare_cells(spec, entry_points=False)])
    assert (plans[0].spec.run.device, plans[0].spec.run.threads) == ("cpu", 1)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"retspec": 1}'])
def test_a_folder_without_a_task_is_an_error_in_one_line(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task.json").write_text(content)
    assert main(["run-task", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "task.json is not the task of this version of retspec" in line


def test_a_folder_that_the_node_does_not_see_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the folder on a disk that this node sees"):
        read_assignment(tmp_path / "elsewhere")
