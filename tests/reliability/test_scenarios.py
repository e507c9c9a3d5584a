"""Every scenario plays as it states; together they are `docs/reliability.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reliability.scenario import Scenario, play
from tests.reliability.table import SCENARIOS, TABLE, render

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{item.group}: {item.fault}" for item in SCENARIOS])
def test_fault_is_told_and_leaves_whole_reports(scenario: Scenario, tmp_path: Path) -> None:
    play(scenario, tmp_path)


def test_each_fault_is_told_once() -> None:
    rows = [(item.group, item.fault) for item in SCENARIOS]
    assert len(set(rows)) == len(rows)


def test_table_is_fresh() -> None:
    assert TABLE.read_text() == render(), "refresh it with: python -m tests.reliability.table"
