"""A spec of nothing but its training config: judged without torch, and told in every report what it was about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.running import run
from retspec.spec.load import load
from tests.run.tools import ACTING, run_acting, spec_in, verdicts

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = """\
config_paths: 0
config_values: {with: {schema: {properties: {training: {properties: {lr: {maximum: "${config.most}"}}}}}}}
output_dir_writable: true
"""
HEAD = "config: train.yaml"


@pytest.fixture(autouse=True)
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").touch()
    (tmp_path / "train.yaml").write_text("training: {lr: 1e-4}\nmost: 1e-3\ntrain_csv: a.csv\noutput_dir: runs/x/y\n")


def test_checks_of_the_config_leave_torch_alone_and_the_disk_as_it_was(tmp_path: Path) -> None:
    before = {*tmp_path.iterdir()}
    report = run_acting(tmp_path, f"{CHECKS}torch_loaded: false", HEAD)
    assert set(verdicts(report).values()) == {Verdict.MET}
    assert {*tmp_path.iterdir()} - before == {tmp_path / "spec.yaml"}


def test_a_measurement_that_reads_anything_else_gets_torch(tmp_path: Path) -> None:
    """One without inputs may import torch by itself, and its seed counts."""
    spec = spec_in(tmp_path, "config_paths: 0\nreads_untidy: 1", HEAD)
    plan, _ = prepare(spec, plugins=[ACTING], entry_points=False)
    assert {step.name: step.needs_torch for step in plan.measurements} == {"named_paths": False, "untidy": True}
    assert plan.needs_torch


def test_every_report_holds_the_hash_of_the_config(tmp_path: Path) -> None:
    reports = {name: tmp_path / f"{name}.out" for name in ("json", "junit")}
    spec = spec_in(tmp_path, CHECKS, HEAD)
    run(spec, reports=reports, entry_points=False)
    config = load(spec).config
    assert config
    results: dict[str, Any] = json.loads(reports["json"].read_text())
    assert results["provenance"]["config_sha256"] == config.sha256
    tree = etree.parse(reports["junit"])
    (told,) = [each.get("value") for each in tree.iter("property") if each.get("name") == "config_sha256"]
    assert told == config.sha256
    assert [case.get("line") for case in tree.iter("testcase")] == ["5", "6", "7"]


def test_a_missed_criterion_tells_what_is_missing_and_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    spec = spec_in(tmp_path / "specs", "config_paths: 0", "config: ../train.yaml")
    report = run(spec, overrides=["config.train_csv=b.csv"], entry_points=False)
    (result,) = report.results
    assert result.verdict is Verdict.MISSED
    assert result.observed
    assert result.observed.details["missing"] == ["config.train_csv: b.csv"]
    assert result.observed.details["looked in"] == [str(tmp_path / "specs"), str(tmp_path)]


def test_a_secret_of_the_config_does_not_leave(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, "config_values: {with: {schema: {properties: {most: {const: 1}}}}}", HEAD)
    hidden = ["config.most=hunter2", "run.mask=[config.most]"]
    path = tmp_path / "results.json"
    report = run(spec, overrides=hidden, reports={"json": path}, entry_points=False)
    assert report.results[0].verdict is Verdict.MISSED
    assert "config.most" in path.read_text()
    assert "hunter2" not in path.read_text()


def test_a_folder_that_is_no_longer_to_be_written_to_is_found(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    report = run(spec_in(tmp_path, CHECKS, HEAD), select=["output"], entry_points=False)
    (result,) = report.results
    assert result.verdict is Verdict.MISSED
    assert result.observed
    assert result.observed.details["not writable"] == [f"config.output_dir: {tmp_path / 'runs'} is not a directory"]
