"""`judge`, `merge`, `compare`, `verify` and `bless`, on results that nobody had to measure."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from retspec.text.asked import overriding
from tests.review.recorded import green_results_of


@pytest.fixture(autouse=True)
def results(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Green results of the spec, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("results.json")
    path.write_text(green_results_of(spec))
    return path


# judge ---------------------------------------------------------------------------------------------


def test_judging_exits_like_a_run_and_writes_what_is_named(retspec: Any, spec: Path, tmp_path: Path) -> None:
    before = {*tmp_path.iterdir()}
    assert retspec("judge", "results.json", "--spec", spec).code == 0
    assert {*tmp_path.iterdir()} == before
    stricter = ("--set", "checks.max_trainable_params=99_999")
    reports = ("--junit-xml", "j.xml", "--json", "r.json", "--report", "markdown=s.md")
    finished = retspec("judge", "results.json", "--spec", spec, *stricter, *reports)
    assert finished.code == 1
    assert "required at most 99,999 parameters (over by 1 parameters)" in finished.out
    assert finished.out.splitlines()[-3:] == ["markdown: s.md", "junit: j.xml", "json: r.json"]
    assert json.loads(Path("r.json").read_text())["counts"]["missed"] == 1
    assert len(ET.parse("j.xml").findall(".//failure")) == 1  # noqa: S314 - our own file
    assert Path("s.md").read_text().startswith("### tiny: missed")
    assert len(retspec("judge", "results.json", "--spec", spec, "-q").out.splitlines()) == 1
    assert retspec("judge", "results.json", "--spec", spec, "-q", "-v").code == 2
    assert retspec("judge", "r.json", "--spec", spec).code == 0, "a judged file can be judged again"


def test_what_was_not_recorded_is_not_run_and_not_green(retspec: Any, spec: Path) -> None:
    finished = retspec("judge", "results.json", "--spec", spec, "--set", "checks.embed_dim=192")
    assert finished.code == 3
    assert "not run: embed_dim: the results do not hold this criterion" in finished.out
    finished = retspec("judge", "results.json", "--spec", spec, "--set", "model.lora.r=4")
    assert finished.code == 3
    assert "another subject: model.lora.r was the default and is 4" in finished.out


def test_a_selection_judges_only_that(retspec: Any, spec: Path) -> None:
    finished = retspec("judge", "results.json", "--spec", spec, "--set", "checks.embed_dim=192", "-k", "lora")
    assert finished.code == 0
    assert re.search(r"1 criterion: 1 met, and \d not selected in ", finished.out)


def test_a_file_that_is_no_results_is_told(retspec: Any, spec: Path) -> None:
    finished = retspec("judge", spec, "--spec", spec)
    assert finished.code == 2
    assert finished.err.startswith(f"Error: {spec}: this is not JSON")


# merge ---------------------------------------------------------------------------------------------


def test_partial_results_become_one_report(retspec: Any) -> None:
    whole = json.loads(Path("results.json").read_text())
    for index, name in enumerate(["first.json", "second.json"]):
        share = {**whole, "results": [whole["results"][index]], "unselected": len(whole["results"]) - 1}
        Path(name).write_text(json.dumps(share))
    assert retspec("report", "second.json", "-o", "second.html").code == 0
    finished = retspec("merge", "first.json", "second.html", "--json", "merged.json", "--junit-xml", "j.xml")
    assert (finished.code, finished.out.splitlines()[-2:]) == (0, ["junit: j.xml", "json: merged.json"])
    assert "2 criteria: 2 met in" in finished.out
    assert json.loads(Path("merged.json").read_text())["results"] == whole["results"]
    alone = retspec("merge", "first.json")
    assert alone.code == 3, "a job that left nothing must not be green"
    assert "1 criterion is in none of the merged results" in alone.out
    accepted = retspec("merge", "first.json", "--partial")
    assert accepted.code == 0
    assert "1 criterion: 1 met, and 1 not selected in" in accepted.out


def test_a_cell_that_is_in_no_results_is_a_fault(retspec: Any) -> None:
    part = {**json.loads(Path("results.json").read_text()), "unselected_cells": 2, "cell": "r=8"}
    top = {**part, "cell": "", "results": [], "measurements": [], "faults": [], "provenance": {}, "cells": [part]}
    Path("cell.json").write_text(json.dumps(top))
    finished = retspec("merge", "cell.json", "--json", "merged.json")
    assert finished.code == 3
    assert "2 cells of the matrix are in none of the merged results" in finished.out
    assert json.loads(Path("merged.json").read_text())["exit_code"] == 3
    assert retspec("merge", "cell.json", "--partial").code == 0


def test_results_that_cannot_be_merged_are_named(retspec: Any) -> None:
    Path("other.json").write_text(Path("results.json").read_text().replace('"spec_sha256": "', '"spec_sha256": "0'))
    finished = retspec("merge", "results.json", "other.json")
    assert (finished.code, finished.out) == (2, "")
    assert finished.err.startswith("Error: results.json has a spec with the SHA-256 ")
    assert len(finished.err.splitlines()) == 1
    assert retspec("merge", "results.json", "--json", "results.json").code == 2, "it would replace what it reads"


# compare -------------------------------------------------------------------------------------------


def test_two_results_are_compared_in_three_formats(retspec: Any) -> None:
    text = Path("results.json").read_text()
    Path("new.json").write_text(
        text.replace('"value": 100000', '"value": 80000').replace('"device": "cpu"', '"device": "mps"')
    )
    row = "| max_trainable_params | 100,000 | 80,000 | -20,000 (-20.0%) | better | 0 | 20,000 | met |"
    finished = retspec("compare", "results.json", "new.json", "--format", "markdown")
    assert finished.code == 0
    assert row in finished.out.splitlines()
    assert "| device | 'cpu' | 'mps' |" in finished.out.splitlines()
    table = retspec("compare", "results.json", "new.json").out
    assert all(cell in table for cell in ("-20,000 (-20.0%)", "better", "same", "what else differs"))
    told = json.loads(retspec("compare", "new.json", "results.json", "--format", "json").out)
    by_id = {each["id"]: each for each in told["criteria"]}
    assert (by_id["max_trainable_params"]["trend"], by_id["max_trainable_params"]["percent"]) == ("worse", 25.0)
    assert told["circumstances"] == [{"path": "device", "old": "mps", "new": "cpu"}]


# verify --------------------------------------------------------------------------------------------


def test_genuine_results_are_verified_line_by_line(retspec: Any, spec: Path) -> None:
    finished = retspec("verify", "results.json", "--spec", spec)
    assert finished.code == 0
    assert [line.split()[:2] for line in finished.out.splitlines()] == [
        ["ok", "spec:"],
        ["ok", "subject:"],
        ["ok", "verdicts:"],
        ["the", "run"],
    ]


def test_edited_results_and_another_spec_are_found(retspec: Any, spec: Path) -> None:
    text = Path("results.json").read_text()
    Path("results.json").write_text(text.replace('"value": 12', '"value": 11'))
    finished = retspec("verify", "results.json", "--spec", spec)
    assert finished.code == 1
    assert "WRONG  lora_layers: recorded as met, but it is missed" in finished.out
    finished = retspec("verify", "results.json", "--spec", spec, "--seed", "7", "--checkpoint", spec)
    assert finished.code == 1
    assert [line.split()[:2] for line in finished.out.splitlines()][:3] == [
        ["WRONG", "spec:"],
        ["WRONG", "subject:"],
        ["WRONG", "checkpoint:"],
    ]


def overridden(spec: Path, *overrides: str) -> None:
    """Write green results of the spec as a run with these overrides has them."""
    found = json.loads(green_results_of(spec, *overrides))
    Path("results.json").write_text(json.dumps(found | {"asked": {"overrides": overrides}}))


@pytest.mark.parametrize(
    ("override", "option"),
    [
        ("run.seed_count=5", "--seeds 5"),
        ("run.seed=7", "--seed 7"),
        ("run.device=cpu", "--device cpu"),
    ],
)
def test_how_the_spec_was_run_is_laid_over_it_again_and_named(
    retspec: Any, spec: Path, override: str, option: str
) -> None:
    overridden(spec, override)
    finished = retspec("verify", "results.json", "--spec", spec)
    first, *rest = finished.out.splitlines()
    assert first == f"?      overrides: the run had {option}; the spec is taken with that"
    assert [line.split()[0] for line in rest] == ["ok", "ok", "ok", "the"]
    assert finished.code == 0
    again = retspec("verify", "results.json", "--spec", spec, "--set", override)
    assert (again.code, again.out.splitlines()) == (0, rest)


def test_results_of_another_spec_are_wrong_under_their_overrides_too(retspec: Any, spec: Path) -> None:
    overridden(spec, "run.seed=7")
    spec.write_text(spec.read_text().replace("100_000", "90_000"))
    finished = retspec("verify", "results.json", "--spec", spec)
    assert finished.code == 1
    assert "WRONG  spec:" in finished.out


@pytest.mark.parametrize("override", ["model.lora.r=16", "checks.max_trainable_params=999_999", "plugins=[loaded.py]"])
def test_another_subject_limit_or_plugin_has_to_be_given_again(retspec: Any, spec: Path, override: str) -> None:
    Path("loaded.py").write_text("from pathlib import Path\nPath('was-here').touch()\n")
    overridden(spec)
    found = json.loads(Path("results.json").read_text())
    Path("results.json").write_text(json.dumps(found | {"asked": {"overrides": [override]}}))
    finished = retspec("verify", "results.json", "--spec", spec)
    assert finished.code == 1
    assert f"WRONG  overrides: the run had {overriding([override])}; give it here, too" in finished.out
    assert not Path("was-here").exists()
    if not override.startswith("plugins"):
        overridden(spec, override)
        assert retspec("verify", "results.json", "--spec", spec, "--set", override).code == 0


# bless ---------------------------------------------------------------------------------------------


def test_a_blessing_says_who_why_and_when_and_becomes_a_limit(retspec: Any, spec: Path) -> None:
    blessed = ("bless", "results.json", "--to", "b/baseline.json", "--reason", "the first", "--who", "Ada")
    finished = retspec(*blessed)
    assert (finished.code, finished.out) == (0, "b/baseline.json: 1 value, blessed by Ada\n")
    written = json.loads(Path("b/baseline.json").read_text())
    assert (written["blessed"]["who"], written["blessed"]["reason"]) == ("Ada", "the first")
    assert len(written["blessed"]["when"]) == len("2026-01-15T09:30:00")
    held = "checks.max_trainable_params={vs: b/baseline.json, max_regression: 5%}"
    finished = retspec("judge", "results.json", "--spec", spec, "--set", held, "-v")
    assert finished.code == 0
    assert "required at most 105,000 parameters" in finished.out
    assert "b/baseline.json has 100,000, and may be missed by 5%" in finished.out
    assert retspec("validate", spec, "--set", held, "--seed", "7").code == 2


def test_who_is_known_to_git(retspec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Grace")
    assert retspec("bless", "results.json", "--to", "b.json", "--reason", "x").out.endswith("blessed by Grace\n")


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_blessing_needs_its_reason(retspec: Any, reason: str) -> None:
    finished = retspec("bless", "results.json", "--to", "b.json", "--reason", reason)
    assert (finished.code, Path("b.json").exists()) == (2, False)


def test_red_results_are_not_blessed(retspec: Any, spec: Path) -> None:
    retspec("judge", "results.json", "--spec", spec, "--set", "checks.lora_layers=13", "--json", "red.json")
    finished = retspec("bless", "red.json", "--to", "b.json", "--reason", "x")
    assert (finished.code, Path("b.json").exists()) == (2, False)
    assert "not green: their exit code is 1" in finished.err


# Under GitHub Actions --------------------------------------------------------------------------------


def test_a_job_gets_annotations_and_its_summary(
    retspec: Any, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    finished = retspec("judge", "results.json", "--spec", spec, "--set", "checks.lora_layers=13")
    assert finished.out.splitlines()[-1].startswith("::error file=")
    assert summary.read_text().startswith("before\n### tiny: missed\n")
    summary.write_text("x" * 899_850)
    retspec("judge", "results.json", "--spec", spec)
    assert "lines are left out" in summary.read_text()
    assert summary.stat().st_size <= 900_000
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert retspec("judge", "results.json", "--spec", spec).code == 4
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert "::" not in retspec("judge", "results.json", "--spec", spec).out
