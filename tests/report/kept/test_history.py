"""The history has a bounded line for each run; a broken one is skipped and reported."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from retspec.errors import ReportError
from retspec.records import Asked, Observed, Outcome
from retspec.report.kept import History, Run, since_last_time
from retspec.report.kept.history import LONGEST, MOST_CRITERIA, MOST_RUNS
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report


def _report(*, observed: float = 0.7, limit: float = 0.5, **changes: object) -> Report:
    plan = plan_of(criterion("loss_drop", limit))
    return run_of(plan, [Outcome(id="loss_drop", observed=Observed(observed))], **changes)


def _run(**changes: float) -> Run:
    return Run.of(_report(**changes), "a/light.yaml")


def test_a_line_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    run = Run.of(_report(asked=Asked(select=("loss",), overrides=("run.seed=3",))), "a/light.yaml")
    history = History(tmp_path / "history.jsonl")
    history.append(run)
    history.append(replace(run, exit_code=1))
    assert History(history.path).runs == [run, replace(run, exit_code=1)]
    assert run.criteria["loss_drop"].observed == 0.7
    assert run.counts == {"met": 1}


@pytest.mark.parametrize(
    "broken", [b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"retspec_history": 2}', b'{"x": ' + b"9" * 5_000 + b"}"]
)
def test_a_broken_line_is_skipped_and_reported(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "history.jsonl"
    History(path).append(_run())
    path.write_bytes(path.read_bytes() + broken)  # no line feed: a full disk cut it off
    History(path).append(_run(observed=0.1))
    history = History(path)
    assert [run.criteria["loss_drop"].verdict for run in history.runs] == ["met", "missed"]
    assert history.broken == [f"{path}:2 is broken and is skipped"]


def test_the_last_runs_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    line = json.dumps({"old": True}).encode() + b"\n"
    path.write_bytes(line * (MOST_RUNS + 7))
    History(path).append(_run())
    assert len(path.read_bytes().splitlines()) == MOST_RUNS
    assert len(History(path).runs) == 1
    assert os.listdir(tmp_path) == ["history.jsonl"]  # noqa: PTH208 - names are enough


def test_a_line_is_bounded() -> None:
    names = [f"number_{index}" for index in range(MOST_CRITERIA + 5)]
    plan = plan_of(*(criterion(name, 0.5) for name in names))
    values = [Observed(0.1 if name == names[-1] else 0.7) for name in names]
    run = Run.of(run_of(plan, [Outcome(id=n, observed=v) for n, v in zip(names, values, strict=True)]), "a.yaml")
    assert (len(run.criteria), run.left_out) == (MOST_CRITERIA, 5)
    assert names[-1] in run.criteria, "what is not met comes first"
    whole = _report()
    (result,) = whole.results
    long = replace(whole, results=(replace(result, observed=Observed("x" * 10_000)),))
    assert len(str(Run.of(long, "a.yaml").criteria["loss_drop"].observed)) == LONGEST + 1


def test_a_history_that_is_no_file_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "history.jsonl")
    history = History(tmp_path / "history.jsonl")
    assert history.runs == []
    with pytest.raises(ReportError, match="it is not a regular file"):
        history.append(_run())


def test_what_became_worse_has_its_line_with_values_and_nothing_else_is_said() -> None:
    met, missed = _run(), _run(observed=0.1)
    assert [*since_last_time([], met)] == []
    assert [*since_last_time([met], met)] == []
    when = met.started.replace("T", " ")[:16]
    assert [*since_last_time([met], missed)] == [
        f"since the whole run of {when} UTC: worse: loss_drop: met → missed (0.7 → 0.1)"
    ]
    assert [*since_last_time([missed], met)] == [f"since the whole run of {when} UTC: loss_drop: missed → met"]


def test_it_is_the_last_whole_run_that_counts_and_another_limit_or_subject_is_named() -> None:
    missed, now = _run(observed=0.1), _run(limit=0.05, observed=0.1)
    runs = [replace(missed, subjects={"": "another"}), replace(_run(), whole=False)]
    (line,) = since_last_time(runs, now)
    assert line.endswith("UTC (another subject): loss_drop: missed → met, limit 0.5 → 0.05")


def test_many_changes_are_a_line_and_many_that_are_worse_are_eleven() -> None:
    met, missed = _run().criteria["loss_drop"], _run(observed=0.1).criteria["loss_drop"]
    before = replace(_run(), criteria={f"c{index}": met for index in range(50)})
    after = replace(before, criteria={f"c{index}": missed for index in range(50)})
    assert [len([*since_last_time([before], after)]), len([*since_last_time([after], before)])] == [11, 1]
