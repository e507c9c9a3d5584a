"""`run`, with real workers on a small model; what the verdicts mean is tested elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from retspec.results.results_file import read_report

pytestmark = pytest.mark.usefixtures("unmeasured_programs", "warm_programs")


# It reads files alone: the worker imports no torch.
LIGHT = """\
retspec: 1
name: light
config: train.yaml
checks:
  config_paths: 0
  output_dir_writable: true
"""


@pytest.fixture
def light(tmp_path: Path) -> Path:
    (tmp_path / "train.yaml").write_text("train_csv: train.csv\noutput_dir: runs\n")
    (tmp_path / "train.csv").write_text("image,label\n")
    path = tmp_path / "light.yaml"
    path.write_text(LIGHT)
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_prints_verdicts_and_writes_its_reports_where_it_says(retspec: Any, spec: Path) -> None:
    finished = retspec("run", spec)
    assert finished.code == 0, finished.err
    folder = Path("reports/tiny")
    files = {"junit": "junit.xml", "json": "results.json", "html": "report.html"}
    assert finished.out.splitlines()[-3:] == [f"{name}: {folder}/{file}" for name, file in files.items()]
    found = read_report(folder / "report.html")
    assert found == read_report(folder / "results.json")
    assert [each.criteria for each in found.measurements] == [("max_trainable_params", "lora_layers")]
    assert all(each.criterion.question.endswith("?") for each in found.results)
    assert len(ET.parse(folder / "junit.xml").findall(".//testcase")) == 2  # noqa: S314 - our own file
    assert [result["verdict"] for result in json.loads((folder / "results.json").read_text())["results"]] == ["met"] * 2
    assert "max_trainable_params: met (74,693)" in finished.err.splitlines()


def test_a_missed_limit_exits_with_1_and_reports_can_be_moved(retspec: Any, light: Path, tmp_path: Path) -> None:
    wrong = "checks.output_dir_writable=false"
    finished = retspec(
        "run", light, "--set", wrong, "--report", "junit=a.xml", "--json", "b.json", "--report", "html=c.html"
    )
    assert finished.code == 1
    assert "missed" in finished.out
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} >= {"a.xml", "b.json", "c.html"}
    assert not Path("reports").exists()


def test_no_reports_writes_only_what_is_named(program: Any, light: Path, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    finished = program(
        "run",
        light,
        "-k",
        "paths",
        "--no-reports",
        "--report",
        "table=t.txt",
        cwd=tmp_path,
        FORCE_COLOR="1",
        NO_COLOR="",
    )
    assert finished.returncode == 0, finished.stderr
    assert "\x1b[32mmet\x1b[0m" in finished.stdout
    assert "\x1b" not in Path("t.txt").read_text()
    assert {path.name for path in tmp_path.iterdir()} == before | {"t.txt"}


@pytest.mark.parametrize("pair", ["table", "table=", "=t.txt"])
def test_a_report_needs_a_format_and_a_path(retspec: Any, spec: Path, pair: str) -> None:
    finished = retspec("run", spec, "--report", pair)
    assert finished.code == 2
    assert finished.err == f"Error: --report {pair}: write FORMAT=PATH, for example markdown=summary.md\n"


def test_two_reports_in_one_file_are_refused(retspec: Any, spec: Path) -> None:
    finished = retspec("run", spec, "--json", "a", "--junit-xml", "a")
    assert finished.code == 2
    assert finished.err == "Error: 2 reports would be written to the same file a; give each its own path\n"


def test_an_unknown_format_is_told_before_anything_runs(retspec: Any, spec: Path) -> None:
    finished = retspec("run", spec, "--report", "tabel=t.txt")
    assert finished.code == 2
    assert "did you mean 'table'?" in finished.err
    assert "measuring" not in finished.err


def test_a_selection_of_nothing_exits_with_5_and_writes_nothing(retspec: Any, spec: Path) -> None:
    finished = retspec("run", spec, "-k", "zzz")
    assert finished.code == 5
    assert not Path("reports").exists()


def test_an_invalid_spec_never_runs(retspec: Any, spec: Path) -> None:
    spec.write_text(spec.read_text().replace("lora_layers", "lora_layer"))
    finished = retspec("run", spec)
    assert finished.code == 2
    assert finished.err.startswith(f"{spec}:9:")
    assert not Path("reports").exists()


def test_several_specs_have_a_table_each_and_a_line_each_at_the_end(retspec: Any, light: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(LIGHT.replace("writable: true", "writable: false").replace("name: light", "name: else"))
    finished = retspec("run", light, other, "--no-reports", "--report", f"markdown={tmp_path}/{{name}}.md", "--jobs", 2)
    assert finished.code == 1
    lines = finished.out.splitlines()
    assert [line for line in lines if line in {str(light), str(other)}] == [str(light), str(other)]
    first, second = lines[-2:]
    assert first.startswith(f"{light}: 2 criteria: 2 met in ")
    assert second.startswith(f"{other}: 2 criteria: 1 met, 1 missed in ")
    assert "config_paths" in (tmp_path / f"{light.stem}.md").read_text()
    assert "config_paths" in (tmp_path / "other.md").read_text()


def test_one_file_for_several_specs_is_refused_with_the_way_out(retspec: Any, spec: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(spec.read_text())
    finished = retspec("run", spec, other, "--junit-xml", "all.xml")
    assert finished.code == 2
    assert finished.err == (
        "Error: 2 reports would be written to the same file all.xml; give each its own path; {name} in it is "
        "the file name of the spec, without the ending\n"
    )
