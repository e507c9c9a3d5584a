"""The section `predictions`: every mistake has its place in the spec, before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError
from retspec.plugin import Check, Cost, Measurement, check, measurement
from retspec.plugins.catalog import Catalog, gather
from retspec.prepare import prepare
from retspec.records import PredictionFiles
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.run.tools import ACTING

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = "id: image, label: grade, scores: [p0, p1]"


def problems(folder: Path, section: str, checks: str = "one: 1") -> list[str]:
    path = folder / "spec.yaml"
    path.write_text(f"retspec: 1\npredictions: {{{section}}}\nchecks: {{{checks}}}\n")
    with pytest.raises(SpecError) as raised:
        validate(load(path), gather([ACTING], entry_points=False))
    return [f"{each.mark.line}:{each.mark.column}: {each.message}" for each in raised.value.problems]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        (HEALTHY, "2:1: predictions names no file; give one as csv, parquet, jsonl or npz"),
        (f"csv: a.csv, npz: a.npz, {HEALTHY}", "2:27: predictions names two files, csv and npz; keep one"),
        ("csv: a.csv, id: i, label: l", "2:1: predictions names no output; give the columns as `scores`"),
        (f"csv: a.csv, logits: [z], {HEALTHY}", "predictions names two outputs, scores and logits; keep one"),
        ("csv: a.csv, id: i, label: l, scores: []", "predictions.scores names no column"),
        ("csv: a.csv, id: i, label: l, scores: [p, p]", "predictions.scores names the column 'p' twice; keep one"),
        (f"csv: a.csv, {HEALTHY}, subgroups: [sex, sex]", "predictions.subgroups names the column 'sex' twice"),
        ("csv: a.csv, label: l, scores: [p]", "2:1: predictions needs the key 'id': The column that names an image."),
        (f"csv: a.csv, {HEALTHY}, grup: patient", "2:70: unknown key 'grup' in predictions; allowed: id, label, csv,"),
        (f"csv: a.csv, {HEALTHY}, grup: patient", "did you mean 'group'?"),
        (f"csv: 3, {HEALTHY}", "2:20: predictions.csv: expected text or a mapping; found 3"),
        ("csv: a.csv, id: i, scores: [p]", "2:1: predictions needs the key 'label': the column of what is true"),
        (f"csv: a.csv, {HEALTHY}, values: v", "predictions names two outputs, scores and values; keep one"),
        (f"csv: a.csv, {HEALTHY}, labels: [l]", "predictions.labels says nothing here: `label` is one true class"),
        (f"csv: a.csv, {HEALTHY}, structure: s", "predictions.structure says nothing here: only `counts` have a row"),
        ("csv: a.csv, id: i, labels: [l, m], scores: [p]", "labels names 2 columns, and the model has 1 outputs"),
        ("csv: a.csv, id: i, labels: [l, l], scores: [p, q]", "predictions.labels names the column 'l' twice"),
        ("csv: a.csv, id: i, label: l, scores: l", "2:52: predictions.scores names the column 'l', which is the truth"),
        ("csv: a.csv, id: i, label: l, values: l", "predictions.values names the column 'l', which is the truth"),
        ("csv: a.csv, id: i, labels: [l, m], logits: [z, m]", "predictions.logits names the column 'm', which is the"),
        ("csv: a.csv, id: i, labels: [l], values: v", "`values` has one true value; name it as `label`"),
        ("csv: a.csv, id: i, label: l, counts: [a, b, c]", "label says nothing here: the counts compare with the true"),
        ("csv: a.csv, id: i, counts: [a, b, b]", "predictions.counts names the column 'b' twice; keep one"),
        ("csv: a.csv, id: i, counts: [a, b]", "counts names 2 columns; name those of true positive, "),
        (f"csv: a.csv, {HEALTHY}, split_column: fold", "predictions.split_column says nothing without the split"),
        (f"csv: {{}}, {HEALTHY}", "predictions.csv is empty; name a file"),
        (f"csv: {{val: v.csv}}, {HEALTHY}", "does not say which split is judged; add `split:`, one of val"),
        (
            f"csv: {{val: v.csv}}, {HEALTHY}, split: vall",
            "no file for the split 'vall'; it has val; did you mean 'val'?",
        ),
        (f"csv: {{val: v.csv}}, {HEALTHY}, split: val, split_column: fold", "split_column goes with a single file"),
    ],
)
def test_a_mistake_is_reported_where_it_is(tmp_path: Path, section: str, problem: str) -> None:
    assert any(problem in each for each in problems(tmp_path, section)), problems(tmp_path, section)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ("csv: a.csv, split: val", "the threshold is chosen on 'val', the split that is judged; name another split"),
        ("csv: a.csv", "the threshold is from a split, and predictions has none; add `split:`"),
        (
            "csv: {vall: v.csv, test: t.csv}, split: test",
            "no file is for the split 'val'; there are vall, test; did you mean 'vall'?",
        ),
    ],
)
@pytest.mark.parametrize("check", ["min_sensitivity_at_specificity", "operating_point_drift"])
def test_a_threshold_is_from_another_split_that_is_there(tmp_path: Path, check: str, files: str, problem: str) -> None:
    entry = f"{check}: {{limit: 0.1, judge: bound, with: {{specificity: 0.9, threshold_from: val}}}}"
    place = 3, len(f"checks: {{{entry}") - len("val}}}") + 1
    (found,) = problems(tmp_path, f"{files}, {HEALTHY}", entry)
    assert found == f"{place[0]}:{place[1] + 1}: {check}: {problem}"
    other = "csv: {val: v.csv, test: t.csv}, split: test"
    (tmp_path / "spec.yaml").write_text(f"retspec: 1\npredictions: {{{other}, {HEALTHY}}}\nchecks: {{{entry}}}\n")
    assert validate(load(tmp_path / "spec.yaml"), gather(entry_points=False)).predictions is not None


@measurement(cost=Cost.STATIC, needs_torch=False)
def said(prediction_files: object) -> object:
    """What the files say."""
    return prediction_files


@check(direction="at most", advice="Nothing to do.")
def reads_them(said: object) -> int:
    """Does it read predictions?"""
    return int(said is None)


def test_a_check_of_predictions_needs_the_section(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("retspec: 1\nchecks: {reads_them: 0}\n")
    with pytest.raises(SpecError, match=r"spec.yaml:2:10: reads_them reads predictions, and the spec names none"):
        validate(load(path), _catalog(reads_them, said))


def _catalog(one: Check, other: Measurement) -> Catalog:
    from dataclasses import replace

    known = gather(entry_points=False)
    return replace(known, checks={one.name: one}, measurements={other.name: other})


def test_a_valid_section_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"retspec: 1\npredictions: {{csv: a.csv, {HEALTHY}}}\nchecks: {{one: 1}}\n")
    spec = validate(load(path), gather([ACTING], entry_points=False))
    assert spec.predictions == PredictionFiles(csv="a.csv", id="image", label="grade", scores=["p0", "p1"])
    assert (spec.predictions.format, spec.predictions.files) == ("csv", {"": "a.csv"})


def test_files_of_a_base_spec_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    base = f"predictions: {{csv: {{val: v.csv, test: t.csv}}, split: test, {HEALTHY}}}"
    (tmp_path / "base" / "spec.yaml").write_text(f"retspec: 1\n{base}\nchecks: {{one: 1}}\n")
    (tmp_path / "spec.yaml").write_text("retspec: 1\nextends: base/spec.yaml\n")
    plan, _ = prepare(tmp_path / "spec.yaml", plugins=[ACTING], entry_points=False)
    assert plan.spec.predictions is not None
    assert plan.spec.predictions.files == {"val": "base/v.csv", "test": "base/t.csv"}
