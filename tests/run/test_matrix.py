"""A run of a matrix: every cell gets its verdicts, one base model serves them all, and nothing of it gets lost."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from junitparser import JUnitXml
from junitparser.junitparser import TestSuite

from retspec.errors import NothingSelected
from retspec.records import Verdict
from retspec.results.results_file import read_report
from retspec.running import run
from tests.run.tools import spec_in
from tests.warm import forked_programs

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report

COUNTED = """\
model:
  factory: "tests.run.counted:build"
  kwargs: {log: LOG}
  lora: {target_modules: [body], modules_to_save: [head]}
matrix: [{model.lora.r: 2, least: 416}, {model.lora.r: 4, least: 832}, {model.lora.r: 8, least: 9_999}]
data: {synthetic: {input_size: [3, 8, 8]}}
train: {steps: 2}
run: {device: cpu}
"""
CHECKS = """\
min_trainable_params: "${matrix.least}"
merge_atol: 1e-3
nonfinite_steps: 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    spec = spec_in(folder, CHECKS, COUNTED.replace("LOG", str(folder / "log.txt")))
    with forked_programs():
        return run(spec, entry_points=False, reports={"json": folder / "results.json", "junit": folder / "junit.xml"})


def verdicts(report: Report) -> dict[str, Verdict]:
    return {result.criterion.name: result.verdict for result in report.every_result}


def test_every_criterion_of_every_cell_has_its_own_verdict(report: Report) -> None:
    assert verdicts(report) == {
        f"{check}[r={rank}]": Verdict.MISSED if (check, rank) == ("min_trainable_params", 8) else Verdict.MET
        for rank in (2, 4, 8)
        for check in ("min_trainable_params", "merge_atol", "nonfinite_steps")
    }
    assert (report.exit_code, report.count(Verdict.MET)) == (1, 8)


def test_the_base_is_made_once_for_all_cells(report: Report, folder: Path) -> None:
    lines = Counter((folder / "log.txt").read_text().splitlines())
    assert report.cells
    assert {line: count for line, count in lines.items() if line.startswith("built")} == {"built on cpu": 1}


def test_a_cell_alone_observes_what_it_does_among_others(report: Report, folder: Path) -> None:
    spec = spec_in(folder, CHECKS, COUNTED.replace("LOG", str(folder / "other.txt")))
    alone = run(spec, cells=["r=4"], entry_points=False)
    assert [part.cell for part in alone.parts] == ["r=4"]
    assert [result.observed for result in alone.every_result] == [
        result.observed for result in report.every_result if result.criterion.cell == "r=4"
    ]


def test_junit_has_a_suite_per_cell_with_its_own_provenance(report: Report, folder: Path) -> None:
    suites = [suite for suite in JUnitXml.fromfile(str(folder / "junit.xml")) if isinstance(suite, TestSuite)]
    assert [(suite.name, suite.tests, suite.failures) for suite in suites] == [
        ("engine[r=2]", 3, 0),
        ("engine[r=4]", 3, 0),
        ("engine[r=8]", 3, 1),
    ]
    hashes = [{p.name: p.value for p in suite.properties()}["subject_sha256"] for suite in suites]
    assert len({*hashes}) == len(report.cells)


def test_what_is_written_is_read_back_whole(report: Report, folder: Path) -> None:
    read = read_report(folder / "results.json")
    assert verdicts(read) == verdicts(report)
    assert [part.provenance.subject_sha256 for part in read.cells] == [
        part.provenance.subject_sha256 for part in report.cells
    ]
    assert json.loads((folder / "results.json").read_text())["exit_code"] == 1


def test_a_cell_whose_worker_dies_costs_no_other_its_verdict(tmp_path: Path) -> None:
    head = 'plugins: ["tests.run.process"]\nmatrix: [{n: 1, die: false}, {n: 2, die: true}, {n: 3, die: false}]\n'
    spec = spec_in(
        tmp_path, 'process_id: {limit: 1, with: {die: "${matrix.die}"}, description: "job ${matrix.n}"}', head
    )
    found = run(spec, entry_points=False)
    assert [*verdicts(found).values()] == [Verdict.MET, Verdict.CRASH, Verdict.MET]
    assert found.exit_code == 3


def test_failing_fast_leaves_later_cells_not_run_and_red(tmp_path: Path) -> None:
    head = 'plugins: ["tests.run.process"]\nmatrix: {least: [1_000_000_000, 1]}\n'
    found = run(spec_in(tmp_path, 'process_id: "${matrix.least}"', head), entry_points=False, fail_fast=True)
    assert [*verdicts(found).values()] == [Verdict.MISSED, Verdict.NOT_RUN]
    assert found.exit_code == 1


def test_a_cell_that_there_is_not_is_told(folder: Path) -> None:
    spec = spec_in(folder, CHECKS, COUNTED.replace("LOG", str(folder / "none.txt")))
    with pytest.raises(NothingSelected, match="no cell matches 'r=5'"):
        run(spec, cells=["r=5"], entry_points=False)
