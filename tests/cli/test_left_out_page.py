"""A page that nobody asked for is written only where that is quick, which is counted and not timed."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retspec.records import Measured, Report
from retspec.report.live import is_quick, quick_page
from retspec.results.results_file import read_report
from tests.report.formats.sample import criterion, judged, report, sample
from tests.report.formats.test_seeds import under

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

SPEC = "retspec: 1\nconfig: train.yaml\nchecks: {config_paths: 0, output_dir_writable: true}\n"
WHOLE = Path("reports/light")


@pytest.fixture
def light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.yaml").write_text("train_csv: train.csv\noutput_dir: runs\n")
    (tmp_path / "train.csv").write_text("image,label\n")
    path = tmp_path / "light.yaml"
    path.write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return path


def _of(verdicts: int, numbers: int = 0) -> Report:
    results = tuple(judged(criterion(f"c{number}"), 0.5) for number in range(verdicts))
    facts = {"losses": [0.5] * numbers, "more": {"seconds": (0.1,) * numbers}}
    return replace(sample(), results=results, measurements=(Measured(key="training", facts=facts),))


def test_verdicts_their_details_and_the_numbers_of_measurements_count() -> None:
    assert is_quick(_of(300))
    assert not is_quick(_of(330))
    assert is_quick(_of(66, 4_500))
    assert not is_quick(_of(66, 5_000))
    detailed = tuple(judged(criterion(f"c{number}"), 0.5, {"all": [1] * 60}) for number in range(130))
    assert not is_quick(replace(_of(0), results=detailed))


def test_what_is_drawn_of_several_seeds_counts() -> None:
    held = [under((0.51, 0.6, 0.55, 0.53, 0.58), criterion(f"criterion_{number}")) for number in range(90)]
    assert is_quick(report(*held[:80]))
    assert not is_quick(report(*held))


def test_all_cells_count() -> None:
    cells = [replace(_of(9, 100), cell=f"seed={number}") for number in range(40)]
    assert is_quick(report(cells=tuple(cells[:10])))
    assert not is_quick(report(cells=tuple(cells)))


def test_a_page_that_would_take_long_is_left_out_and_the_line_says_how_to_get_it(
    retspec: Any, light: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert retspec("run", light).code == 0
    assert (WHOLE / "report.html").exists()
    monkeypatch.setattr(quick_page, "_MOST", 30)
    finished = retspec("run", light)
    assert finished.code == 0
    *_, line = finished.out.splitlines()
    said, _, command = line.partition("; write it: retspec ")
    assert said == "no HTML report, which would take more than 0.2 s"
    assert "\nhtml: " not in finished.out
    assert sorted(path.name for path in WHOLE.glob("[a-z]*")) == [
        "history.jsonl",
        "junit.xml",
        "previous.json",
        "results.json",
    ]
    assert retspec(*shlex.split(command)).code == 0
    assert read_report(WHOLE / "report.html") == read_report(WHOLE / "results.json")


def test_a_page_that_is_asked_for_is_always_written(retspec: Any, light: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_page, "_MOST", 30)
    finished = retspec("run", light, "--report", "html=page.html")
    assert read_report(Path("page.html")).exit_code == finished.code == 0
    assert "no HTML report" not in finished.out
    named = str(WHOLE / "report.html")
    assert retspec("run", light, "--no-reports", "--report", f"html={named}").code == 0
    assert Path(named).exists()


def test_without_reports_nothing_is_said_of_the_page(
    retspec: Any, light: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_page, "_MOST", 30)
    assert "HTML" not in retspec("run", light, "--no-reports").out
