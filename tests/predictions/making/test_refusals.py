"""What keeps retspec from predicting: files that it would replace, mistakes in the spec, and data without classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError, SubjectError, UsageError
from retspec.prepare import prepare
from retspec.running import run
from tests.predictions.making.tools import (
    CHECKS,
    MADE,
    MAKING,
    PLUGIN,
    READING,
    read,
    spec_of,
    subject_of,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("make", "report"),
    [("test.csv", None), (MADE, MADE), (MADE, f"{MADE}.origin.json")],
    ids=["a table that is read", "a report at its path", "a report at the path of its origin"],
)
def test_the_files_replace_nothing_that_is_read_or_written(folder: Path, make: str, report: str | None) -> None:
    before = (folder / "test.csv").read_text()
    path = spec_of(folder, f"make: {make}, split: test")
    reports = {"json": folder / report} if report else {}
    with pytest.raises(UsageError, match=r"would replace 'test.csv', which is read|are the same file|the same file"):
        run(path, plugins=[PLUGIN], entry_points=False, reports=reports)
    assert (folder / "test.csv").read_text() == before


def test_a_report_never_replaces_predictions_that_are_read(folder: Path) -> None:
    read(folder)
    with pytest.raises(UsageError, match="which is read"):
        run(spec_of(folder, READING), plugins=[PLUGIN], entry_points=False, reports={"json": folder / MADE})


@pytest.mark.parametrize(
    ("predictions", "problem"),
    [
        (f"make: {MADE}", "predictions does not say which split the model predicts; add `split:`, such as test"),
        (f"{MAKING}, id: image", "predictions.id names columns of a file, and retspec names those that it makes"),
        (f"{MAKING}, csv: a.csv", "predictions names two files, csv and make; keep one"),
        ("make: made/test.xlsx, split: test", "made/test.xlsx is no table by its name"),
        (
            "make: {val: a/t.csv, test: a/./t.csv}, split: test",
            "gate.yaml:18:42: predictions.make names a/./t.csv for val and for test; give each split its own file",
        ),
        (
            "make: {val: v.csv, test: t.txt}, split: test",
            "t.txt is no table by its name; let it end in .csv, .jsonl or",
        ),
        ("make: {val: v.csv}, split: test", "predictions.make has no file for the split 'test'; it has val"),
    ],
)
def test_a_mistake_is_reported_where_it_is(folder: Path, predictions: str, problem: str) -> None:
    with pytest.raises(SpecError) as raised:
        prepare(spec_of(folder, predictions), plugins=[PLUGIN], entry_points=False)
    assert problem in str(raised.value)


def test_making_needs_a_model_and_files(folder: Path) -> None:
    path = folder / "gate.yaml"
    path.write_text(f"retspec: 1\npredictions: {{{MAKING}}}\nchecks: {{{CHECKS}}}\n")
    with pytest.raises(SpecError) as raised:
        prepare(path, plugins=[PLUGIN], entry_points=False)
    assert "predictions.make lets the model predict, and the spec has no section `model`; add it" in str(raised.value)
    assert "predictions.make needs data that knows its files" in str(raised.value)


@pytest.mark.parametrize(
    ("predictions", "change", "reason"),
    [
        ("make: m.csv, split: val", ("", ""), "the data has no split 'val'; it has 'train', 'test'"),
        (f"{MAKING}, subgroups: [camara]", ("", ""), "no column of subgroups 'camara'; did you mean 'camera'?"),
        (MAKING, ("test-0", ""), "images have no group, and nobody knows which are of one patient"),
        (MAKING, ("severe", ""), "test.csv:4 has no label"),
        (MAKING, ("test_3.png", "lost.png"), "images/lost.png cannot be opened"),
    ],
)
def test_data_that_cannot_be_predicted_has_no_verdict(
    folder: Path, predictions: str, change: tuple[str, str], reason: str
) -> None:
    table = folder / "test.csv"
    table.write_text(table.read_text().replace(change[0] or "\0", change[1]))
    with pytest.raises(SubjectError) as raised:
        read(folder, predictions)
    assert reason in str(raised.value)
    assert not (folder / MADE).exists()


def test_labels_outside_the_outputs_have_no_verdict(folder: Path) -> None:
    table = folder / "test.csv"
    table.write_text(table.read_text().replace("severe", "worse"))
    with pytest.raises(SubjectError, match="has the label 3, and the model has 3 classes, numbered from 0"):
        read(folder)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (
            "task: self_supervised",
            "predictions are made as classes whose probabilities add up to 1, .* says self_",
        ),
        ("loss: bce_with_logits", "predictions are made as classes whose probabilities add up to 1, .* says bce_"),
        ("task: multilabel", "this asks about classes, and several labels are predicted"),
        ("loss: mse", "this asks about classes, and the values of a regression are predicted"),
    ],
)
def test_what_are_no_classes_is_not_predicted_as_classes(folder: Path, train: str, message: str) -> None:
    path = spec_of(folder)
    path.write_text(path.read_text().replace("{steps: 1}", f"{{{train}}}"))
    with pytest.raises(SubjectError, match=message):
        subject_of(path).prediction_files.read()
    assert not (folder / MADE).exists()
