"""One worker does job after job; a job of another kind, or a dead worker, costs a new one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from retspec.engine.protocol import Finished, Job
from retspec.engine.supervisor import Workers, measure
from retspec.prepare import prepare
from tests.run.tools import spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Outcome

HEAD = 'plugins: ["tests.run.process"]\n'


def process_ids(folder: Path, *overrides: tuple[str, ...]) -> list[int]:
    """Measure one plan per set of overrides with the same workers; return the process that measured each."""
    spec = spec_in(folder, "process_id: {limit: 1, timeout: 60s}\n", HEAD)
    seen = []
    with closing(Workers()) as workers:
        for index, more in enumerate(overrides):
            plan, catalog = prepare(spec, overrides=more, entry_points=False)
            more_follow = index < len(overrides) - 1
            job = Job(plan=plan, plugins=catalog.named, entry_points=False, more=more_follow)
            seen += [message.outcome for message in measure(job, workers) if isinstance(message, Finished)]
    return [_observed(outcome) for outcome in seen]


def _observed(outcome: Outcome) -> int:
    return int(outcome.observed.value) if outcome.observed else 0


def test_one_worker_does_all_jobs_of_its_kind(tmp_path: Path) -> None:
    first, second, third = process_ids(tmp_path, (), ("train.lr=1",), ("run.seed=3",))
    assert first == second == third > 0


@pytest.mark.parametrize("other", ["run.memory=8GB", "run.threads=1"])
def test_what_a_process_cannot_take_back_costs_a_new_one(other: str, tmp_path: Path) -> None:
    first, second = process_ids(tmp_path, (), (other,))
    assert first != second


def test_a_worker_that_died_is_replaced(tmp_path: Path) -> None:
    first, dead, third = process_ids(tmp_path, (), ("checks.process_id.with={die: true}",), ())
    assert dead == 0
    assert first != third > 0
