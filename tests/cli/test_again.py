"""Running a spec again: what a part of it leaves alone, what changed, and only what was not met."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retspec.report.kept.folder import folders_for
from retspec.results.results_file import read_report

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

# It reads files alone: the worker imports no torch.
LIGHT = """\
retspec: 1
config: train.yaml
run: {mask: [vars.token]}
vars: {token: none-here}
checks:
  config_paths: 0
  output_dir_writable: true
"""
WHOLE = Path("reports/light")


@pytest.fixture
def light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.yaml").write_text("train_csv: train.csv\noutput_dir: runs\n")
    (tmp_path / "train.csv").write_text("image,label\n")
    path = tmp_path / "light.yaml"
    path.write_text(LIGHT)
    monkeypatch.chdir(tmp_path)
    return path


def _ids(path: Path) -> list[str]:
    return [result.criterion.id for result in read_report(path / "results.json").results]


def _history() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (WHOLE / "history.jsonl").read_text().splitlines()]


def test_only_what_was_not_met_runs_again_and_the_results_of_the_whole_stay(retspec: Any, light: Path) -> None:
    first = retspec("run", light, "--lf", "--set", "checks.output_dir_writable=false")
    assert first.code == 1
    said = "--last-failed: there are no earlier results of this spec, so every selected criterion was measured"
    assert first.out.splitlines()[-1] == said
    assert _ids(WHOLE) == ["config_paths", "output_dir_writable"]
    before = (WHOLE / "results.json").read_bytes()

    again = retspec("run", light, "--last-failed")
    assert again.code == 0
    lines = again.out.splitlines()
    assert any(line.startswith("1 criterion: 1 met, and 1 not selected in ") for line in lines)
    assert lines[-2].endswith(" UTC: output_dir_writable: missed → met, limit false → true")
    assert lines[-1] == "partial run: the reports of the whole spec are still in reports/light"
    assert (WHOLE / "results.json").read_bytes() == before
    assert _ids(WHOLE / "partial") == ["output_dir_writable"]

    last = retspec("run", light, "--lf")
    assert "--last-failed: nothing failed last time, so every selected criterion was measured" in last.out
    assert _ids(WHOLE) == ["config_paths", "output_dir_writable"]
    assert (WHOLE / "previous.json").read_bytes() == before
    assert [(run["whole"], run["exit_code"]) for run in _history()] == [(True, 1), (False, 0), (True, 0)]


def test_a_part_says_what_was_asked_is_judged_again_and_never_blessed(retspec: Any, light: Path) -> None:
    setting = "vars.token=h0ldMeBack"
    assert retspec("run", light, "-k", "paths", "--seed", "3", "--set", setting).code == 0
    partial = WHOLE / "partial"
    report = read_report(partial / "results.json")
    assert (report.asked.select, report.asked.overrides) == (("paths",), ("vars.token=***", "run.seed=3"))
    written = [path for path in WHOLE.rglob("*") if path.is_file()]
    assert [path for path in written if b"h0ldMeBack" in path.read_bytes()] == []
    assert not (WHOLE / "results.json").exists()

    results = partial / "results.json"
    blessed = retspec("bless", results, "--to", "baseline.json", "--reason", "mine", "--who", "ada")
    assert (blessed.code, Path("baseline.json").exists()) == (2, False)
    assert "these results are of a part of the spec: 1 criterion is not in them" in blessed.err
    asked = ("--spec", light, "--seed", "3", "--set", setting)
    assert retspec("judge", results, *asked, "-k", "paths").code == 0
    assert retspec("judge", results, *asked).code == 3
    verified = retspec("verify", results, *asked)
    assert (verified.code, "output_dir_writable: the spec asks for it" in verified.out) == (1, True)
    assert retspec("compare", results, results).code == 0
    assert retspec("report", results, "-o", "again.html").code == 0


def test_a_run_that_ends_early_says_where_the_last_whole_results_are(retspec: Any, light: Path) -> None:
    assert retspec("run", light).code == 0
    before = (WHOLE / "results.json").read_bytes()
    for _ in range(2):
        ended = retspec("run", light, "-x", "--set", "config.train_csv=gone.csv")
        said = "the run ended early: the last whole results are in reports/light/previous.json"
        assert ended.out.splitlines()[-2:] == [
            said,
            "-x ended the run after config_paths (missed); 1 criterion was not run",
        ]
        assert (WHOLE / "previous.json").read_bytes() == before
    assert read_report(WHOLE / "results.json").exit_code == 1


def test_a_second_run_at_the_same_time_writes_beside_the_first_and_says_so(retspec: Any, light: Path) -> None:
    (folder,) = folders_for([light])
    with folder.claimed(partial=False):
        finished = retspec("run", light)
    assert finished.code == 0
    said = "another run was writing to reports/light, so these reports are in reports/light/beside"
    assert finished.out.splitlines()[-1] == said
    assert sorted(path.name for path in WHOLE.iterdir()) == [".spec", "beside", "history.jsonl"]
    assert _ids(WHOLE / "beside") == ["config_paths", "output_dir_writable"]


def test_what_is_kept_never_replaces_what_the_run_reads(retspec: Any, light: Path) -> None:
    WHOLE.mkdir(parents=True)
    (WHOLE / "history.jsonl").write_text("mine\n")
    light.write_text(LIGHT.replace("train.yaml", "reports/light/history.jsonl"))
    finished = retspec("run", light)
    assert (finished.code, (WHOLE / "history.jsonl").read_text()) == (2, "mine\n")


def test_a_broken_history_is_reported_and_the_run_goes_on(retspec: Any, light: Path) -> None:
    WHOLE.mkdir(parents=True)
    (WHOLE / "history.jsonl").write_text("mine\n")
    finished = retspec("run", light, "-k", "paths")
    assert finished.code == 0
    assert finished.out.splitlines()[-1] == "note: reports/light/history.jsonl:1 is broken and is skipped"
