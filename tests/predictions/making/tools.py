"""A spec whose predictions retspec makes, and what reads or judges them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from retspec.prepare import prepare
from retspec.running import run
from retspec.subjects.subject import Subject
from tests.predictions import judging
from tests.predictions.colours import Colours

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import Predictions
    from retspec.records import Report

PLUGIN = judging.__file__
SHADES = ((200, 20, 20), (20, 200, 20), (20, 20, 200))
MADE = "made/test.csv"
SPEC = """\
retspec: 1
name: gate
model: {{factory: "tests.predictions.colours:colours"{model}}}
data:
  csv:
    train: train.csv
    test: test.csv
    images: images
    image_column: image
    label_column: grade
    group_column: patient
    subgroup_columns: [camera, sex]
  transform: {{input_size: [3, 8, 8], mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1}}
  batch_size: 4
  {classes}
train: {{steps: 1}}
run: {{device: cpu}}
predictions: {{{predictions}}}
checks: {{{checks}}}
"""
MAKING = f"make: {MADE}, split: test"
READING = f"csv: {MADE}, id: image, label: label, scores: [mild, none, severe], split: test"
CHECKS = "accuracy: 1"


def spec_of(folder: Path, predictions: str = MAKING, **parts: str) -> Path:
    path = folder / "gate.yaml"
    path.write_text(
        SPEC.format(predictions=predictions, **{"model": "", "classes": "", "checks": CHECKS, **parts}),
        encoding="utf-8",
    )
    return path


def read(folder: Path, predictions: str = MAKING, **parts: str) -> Predictions:
    """Read or make the predictions of a spec in this process."""
    return subject_of(spec_of(folder, predictions, **parts)).prediction_files.read()


def subject_of(spec: Path, fault: str = "") -> Subject:
    plan, catalog = prepare(
        spec, overrides=[f"run.fault={fault}"] if fault else (), plugins=[PLUGIN], entry_points=False
    )
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    return Subject(plan.spec, **sources, weights=plan.needs_weights, fault=catalog.faults.get(fault))


def judged(folder: Path, predictions: str = MAKING, **parts: str) -> Report:
    return run(spec_of(folder, predictions, **parts), plugins=[PLUGIN], entry_points=False)


def checkpoint(folder: Path, name: str, bias: float) -> None:
    model = Colours()
    torch.nn.init.constant_(model.bias, bias)
    torch.save(model.state_dict(), folder / name)
