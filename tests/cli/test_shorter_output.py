"""What a run leaves out of its output: with `-q` what is met, with `-x` what did not run, of a matrix the repetition.

The specs read files alone, so that no worker imports torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SPEC = """\
retspec: 1
name: light
config: train.yaml
checks:
  config_paths: 0
  output_dir_writable: true
  absent: {check: config_paths, limit: 0, skip: "no second config"}
"""


@pytest.fixture
def light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.yaml").write_text("train_csv: train.csv\noutput_dir: runs\n")
    (tmp_path / "train.csv").write_text("image,label\n")
    (tmp_path / "light.yaml").write_text(SPEC)
    return Path("light.yaml")


def test_quiet_prints_what_is_not_met_and_the_last_line(retspec: Any, light: Path) -> None:
    finished = retspec("run", light, "-q")
    assert (finished.code, finished.err) == (0, "")
    (line,) = finished.out.splitlines()
    assert line.startswith("3 criteria: 2 met, 1 skipped in ")
    assert Path("reports/light/results.json").exists()
    finished = retspec("run", light, "--quiet", "--set", "checks.output_dir_writable=false")
    assert (finished.code, finished.err) == (1, "")
    block, ending = finished.out.split("\n\n")
    assert block.startswith("light.yaml:6: missed: output_dir_writable = true, required exactly false\n")
    assert ending.startswith("3 criteria: 1 met, 1 missed, 1 skipped in ")


def test_quiet_and_verbose_exclude_each_other(retspec: Any, light: Path) -> None:
    finished = retspec("run", light, "-q", "-v")
    assert finished.code == 2
    assert finished.err.endswith("Error: --quiet and --verbose exclude each other\n")


def test_fail_fast_says_what_ended_the_run_and_what_it_left_out(retspec: Any, light: Path) -> None:
    Path("train.csv").unlink()
    finished = retspec("run", light, "-x")
    assert finished.code == 1
    assert finished.out.splitlines()[-1] == "-x ended the run after config_paths (missed); 1 criterion was not run"
    finished = retspec("run", light, "-x", "-k", "config_paths")
    assert finished.out.splitlines()[-1] == "-x ended the run after config_paths (missed); it was the last"


def test_fail_fast_says_nothing_where_all_ran(retspec: Any, light: Path) -> None:
    assert "-x" not in retspec("run", light, "-x").out


def test_a_matrix_of_sixteen_cells_is_a_dozen_lines_in_a_log(retspec: Any, light: Path) -> None:
    cells = "\n".join(f"  - {{number: {number}, expected: {str(number != 3).lower()}}}" for number in range(16))
    long_form = "writable: {limit: '${matrix.expected}', description: 'number ${matrix.number}'}"
    light.write_text(f"{SPEC.replace('writable: true', long_form)}matrix:\n{cells}\n")
    finished = retspec("run", light, "--no-reports")
    assert finished.code == 1
    *lines, last = [line for line in finished.err.splitlines() if "output_dir_writable" not in line]
    assert [line.partition(", ")[0] for line in lines] == [f"light: {done} of 16 cells" for done in (4, 8, 12)]
    assert last == "light: 16 of 16 cells, 31 met, 1 missed"
    grid, miss, ending = finished.out.split("\n\n")
    assert [line.split() for line in grid.splitlines()[2:]] == [
        ["output_dir_writable", "met", "missed"],
        ["absent", "skipped", "skipped"],
        ["config_paths", "met", "met"],
    ]
    assert "output_dir_writable[" in miss
    assert ending.startswith("48 criteria: 31 met, 1 missed, 16 skipped in ")
    assert len(finished.out.splitlines()) + len(finished.err.splitlines()) <= 18
    rows = retspec("run", light, "--no-reports", "-v").out.partition("\n\n")[0].splitlines()[2:]
    assert len({row.partition("]")[0] for row in rows}) == 48
