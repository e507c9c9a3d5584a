"""Seeds on a cluster: a node measures all of them, and the front end judges them as here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.records import Verdict
from retspec.running import run
from tests.cluster.tools import PLUGINS
from tests.run.test_seeds import FIVE, SEEDED, table_in

if TYPE_CHECKING:
    import pytest


def test_a_node_measures_under_every_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = str(table_in(tmp_path, FIVE))
    checks = {"at_least": {"limit": 0.5, "with": {"table": table}, "aggregate": "median"}}
    Path("spec.yaml").write_text(json.dumps({"retspec": 1, "plugins": [*PLUGINS, SEEDED], "checks": checks}))
    report = run("spec.yaml", overrides=["run.executor=pool"], seeds=5, entry_points=False)
    (result,) = report.results
    assert (result.verdict, result.observed and result.observed.value) == (Verdict.MET, 0.7)
    assert result.seeds is not None
    assert [each.observed and each.observed.value for each in result.seeds.each] == FIVE
