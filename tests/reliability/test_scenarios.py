"""Every scenario plays as it states; together they are `docs/reliability.md`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.reliability.scenario import Scenario, play
from tests.reliability.table import SCENARIOS, TABLE, render

if TYPE_CHECKING:
    from pathlib import Path

ON_OUTPUT = [item for item in SCENARIOS if item.group == "Output"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{item.group}: {item.fault}" for item in SCENARIOS])
def test_fault_is_told_and_leaves_whole_reports(
    scenario: Scenario, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if scenario.is_warm:
        request.getfixturevalue("warm_programs")
    play(scenario, tmp_path)


@pytest.mark.parametrize("scenario", ON_OUTPUT, ids=[item.fault for item in ON_OUTPUT])
def test_streams_without_a_buffer_meet_it_earlier_and_tell_the_same(scenario: Scenario, tmp_path: Path) -> None:
    """Images of containers often set `PYTHONUNBUFFERED`."""
    play(replace(scenario, variables={**scenario.variables, "PYTHONUNBUFFERED": "1"}), tmp_path)


def test_each_fault_is_told_once() -> None:
    rows = [(item.group, item.fault) for item in SCENARIOS]
    assert len(set(rows)) == len(rows)


def test_table_is_fresh() -> None:
    assert TABLE.read_text() == render(), "refresh it with: python -m tests.reliability.table"
