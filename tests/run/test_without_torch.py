"""A spec of nothing but files is judged without torch, and what draws random numbers is seeded all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.running import run
from retspec.subjects.seeds import seeded
from tests.photos import write_tables
from tests.run.tools import ACTING, result_of, run_acting, spec_in, verdicts

if TYPE_CHECKING:
    from pathlib import Path

DATA = "data: {csv: {train: train.csv, test: test.csv, images: images, image_column: id_code, "
DATA += "label_column: diagnosis, group_column: patient, extension: .png}}"
CHECKS = """\
missing_files: 0
max_class_imbalance: 10
class_map_mismatch: 0
corrupt_images: 0
duplicate_images: 0
split_leakage: 0
labels_out_of_range: {with: {num_classes: 3}}
"""
LISTER = """
from pathlib import Path
from retspec.facts import Dataset, Example, Split
from retspec.plugin import Source, dataset_source, hookimpl

@dataset_source
def drawn(names: int, folder: Path) -> Dataset:
    '''Files by numbers that torch draws.'''
    import torch
    examples = tuple(Example(f"{int(torch.randint(10**9, ()))}", 0, "0") for _ in range(names))
    return Dataset(str(folder), {"train": Split(examples, {"0": 0})})

@hookimpl
def retspec_data_sources() -> list[Source]:
    return [drawn]
"""


def test_checks_of_files_leave_torch_alone(tmp_path: Path) -> None:
    write_tables(tmp_path)
    report = run_acting(tmp_path, f"{CHECKS}torch_loaded: false", DATA)
    assert set(verdicts(report).values()) == {Verdict.MET}


def test_a_model_beside_them_needs_torch_for_the_labels_alone(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, CHECKS, f"model: {{timm: test_vit}}\n{DATA}")
    plan, _ = prepare(spec, plugins=[ACTING], entry_points=False)
    assert {step.name: step.needs_torch for step in plan.measurements} == {
        "splits": False,
        "images": False,
        "labels": True,
    }


def test_a_source_that_draws_its_lists_is_seeded_though_torch_comes_late(tmp_path: Path) -> None:
    (tmp_path / "lister.py").write_text(LISTER)
    report = run(spec_in(tmp_path, "missing_files: 0", "plugins: [lister.py]\ndata: {drawn: 2}"), entry_points=False)
    with seeded(42):
        expected = [f"{int(torch.randint(10**9, ()))}" for _ in range(2)]
    observed = result_of(report, "missing_files").observed
    assert observed
    assert observed.details["files"] == expected
