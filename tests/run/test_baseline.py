"""From one run to the next: what was blessed is the limit of what comes after."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from retspec.records import Blessing, Verdict
from retspec.review.recorded import bless
from tests.run.tools import run_acting, verdicts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

BLESSING = Blessing(who="Ada", reason="the first", when="2026-01-15T09:30:00")


def test_a_run_is_held_against_the_run_that_was_blessed(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline = bless(run_acting(tmp_path, "one: 1"), BLESSING)
    path.write_bytes(msgspec.json.encode(baseline))
    checks = "one: {limit: 9, vs: baseline.json, max_regression: 5%}"
    held = run_acting(tmp_path, checks, reports={"json": tmp_path / "results.json"})
    assert verdicts(held) == {"one": Verdict.MET}
    criterion = json.loads((tmp_path / "results.json").read_text())["results"][0]["criterion"]
    assert (criterion["limit"], criterion["regression"]) == (1.05, {"vs": "baseline.json", "most": "5%", "value": 1})
    better = replace(baseline, values={"one": replace(baseline.values["one"], value=0.5)})
    path.write_bytes(msgspec.json.encode(better))
    missed = run_acting(tmp_path, checks)
    assert verdicts(missed) == {"one": Verdict.MISSED}
    assert missed.results[0].reason == (
        "one = 1, required at most 0.525 (over by 0.475); baseline.json has 0.5, and may be missed by 5%"
    )
