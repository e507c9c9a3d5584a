"""A spec that holds predictions alone is judged by a worker that never imports torch."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from retspec.errors import SubjectError
from retspec.records import Verdict
from retspec.subjects.predictions.reading import require_libraries
from tests.predictions.planting import FOLDER
from tests.run.tools import run_acting, verdicts

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = """\
torch_loaded: false
min_auroc: {limit: 0.9, judge: bound, with: {positive: [2, 3, 4]}}
min_qwk: {limit: 0.8, judge: point}
max_brier: {limit: 0.5, judge: bound}
"""


@pytest.mark.usefixtures("tables")
def test_the_worker_leaves_torch_alone(tmp_path: Path) -> None:
    head = (
        f"predictions: {{csv: '{os.environ[FOLDER]}/none.csv', id: image, label: grade, group: patient, split: test, "
    )
    report = run_acting(tmp_path, CHECKS, f"{head}scores: [p0, p1, p2, p3, p4]}}")
    assert set(verdicts(report).values()) == {Verdict.MET}, [result.reason for result in report.results]


@pytest.mark.parametrize("library", ["numpy", "scipy"])
def test_a_missing_library_is_named_with_the_extra(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SubjectError, match=rf"need {library}, which the extra `predictions` brings: pip install"):
        require_libraries()
