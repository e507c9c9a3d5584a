"""What Python warns of in a worker is counted once for each job, whatever came before in the process."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import pytest

from retspec.records import Verdict
from retspec.running import run
from retspec.subjects.recorded_warnings import WarningRecorder
from tests.run.tools import result_of, run_acting, spec_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTORY = """
import warnings
import numpy
warnings.warn("on import", FutureWarning)

def build():
    from torch import nn
    warnings.warn("the argument 'drop' is ignored")
    warnings.warn("nobody calls this any more", DeprecationWarning)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
"""
DATA = "data: {synthetic: {input_size: [3, 8, 8], batch_size: 2}}"
MODEL = f'model: {{factory: "warning_factory:build"}}\n{DATA}'


@pytest.fixture
def recorder() -> Iterator[WarningRecorder]:
    recorder = WarningRecorder()
    with warnings.catch_warnings(), recorder.job("base"):
        warnings.simplefilter("default")
        yield recorder


def messages(recorder: WarningRecorder) -> list[str]:
    return [warning.message for warning in recorder.facts(made=(), failed=()).warnings]


def test_a_warning_is_recorded_with_its_place_and_shown_all_the_same() -> None:
    recorder, shown = WarningRecorder(), []
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_place: shown.append(str(message))
        with recorder.job(None):
            warnings.warn("the argument is ignored", stacklevel=1)
    (warning,) = recorder.facts(made=(), failed=()).warnings
    assert (warning.category, warning.message) == ("UserWarning", "the argument is ignored")
    assert warning.file.endswith("test_warnings.py")
    assert warning.line > 0
    assert shown == ["the argument is ignored"]


def test_what_logging_captures_is_recorded_too(recorder: WarningRecorder) -> None:
    logging.captureWarnings(capture=True)
    try:
        warnings.warn("captured:\nin two lines", stacklevel=1)
    finally:
        logging.captureWarnings(capture=False)
    (warning,) = recorder.facts(made=(), failed=()).warnings
    assert (warning.category, warning.message) == ("UserWarning", "captured:\nin two lines")
    assert warning.file.endswith("test_warnings.py")


def test_what_the_code_under_test_catches_is_its_own(recorder: WarningRecorder) -> None:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        warnings.warn("nobody hears this", stacklevel=1)
    assert messages(recorder) == []


def test_a_later_job_is_warned_again_and_of_nothing_else(recorder: WarningRecorder) -> None:
    def warn(text: str) -> None:
        warnings.warn(text, stacklevel=1)

    warn("of the first job")
    with recorder.job("base"):
        assert messages(recorder) == []
        warn("of the first job")
        assert messages(recorder) == ["of the first job"]


def test_the_hooks_are_taken_away_afterwards() -> None:
    before = (warnings.showwarning, [*logging.getLogger("py.warnings").handlers])
    with WarningRecorder().job(None):
        assert warnings.showwarning != before[0]
    assert (warnings.showwarning, [*logging.getLogger("py.warnings").handlers]) == before


def test_every_cell_counts_what_came_up_on_import_and_while_their_base_was_made(tmp_path: Path) -> None:
    """The worker imports once, and makes the base model once, for all cells."""
    (tmp_path / "warning_factory.py").write_text(FACTORY)
    head = f"matrix: {{train.lr: [1e-3, 1e-2]}}\n{MODEL}"
    report = run(spec_in(tmp_path, "max_warnings: 2\neval_drift: 0", head), entry_points=False)
    for result in [result for result in report.every_result if result.criterion.id == "max_warnings"]:
        assert result.observed is not None
        assert (result.verdict, result.observed.value) == (Verdict.MET, 2), result.reason
        first, second = result.observed.details["warnings"]
        assert "warning_factory.py:4: FutureWarning: on import" in first
        assert "UserWarning: the argument 'drop' is ignored" in second
    assert len(report.every_result) == 4
    printed = {output.source: output.stderr for output in report.every_result[0].output}
    assert "UserWarning: the argument 'drop' is ignored" in printed["model"]


def test_what_a_dead_worker_was_warned_of_is_not_known(tmp_path: Path) -> None:
    result = result_of(run_acting(tmp_path, "segfaults: 0\nmax_warnings: 9"), "max_warnings")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "a worker died before, and what it was warned of is not known"


def test_a_measurement_that_failed_may_have_warned_of_more(tmp_path: Path) -> None:
    checks = f"reads_fragile: {{limit: 0, with: {{path: {tmp_path}/calls}}}}\nmax_warnings: 9"
    result = result_of(run_acting(tmp_path, checks), "max_warnings")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("fragile(path=")
    assert result.reason.endswith(" failed, and might have warned of more")


def test_it_is_judged_after_everything_else(tmp_path: Path) -> None:
    """The output of `untidy`, which is measured for a criterion that comes later in the spec, is in its facts."""
    result = result_of(run_acting(tmp_path, "max_warnings: 0\nreads_untidy: 0"), "max_warnings")
    assert result.observed is not None
    assert result.observed.details["made"] == ["untidy"]
