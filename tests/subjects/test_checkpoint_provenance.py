"""A report says which weights its verdicts are about."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from retspec.engine.protocol import Environment, Job
from retspec.engine.worker.work import work
from retspec.prepare import prepare
from retspec.report.live import LiveReport, opening
from tests.here import Recorder
from tests.subjects.hostile import entry, safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan

SPEC = """
retspec: 1
model: {timm: test_vit, kwargs: {num_classes: 3}, checkpoint: w.safetensors}
checks: {CHECK}
"""
WEIGHTS = safetensors(entry((2, 2)))
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def prepared(folder: Path, check: str) -> tuple[Plan, Catalog]:
    (folder / "spec.yaml").write_text(SPEC.replace("CHECK", check))
    return prepare(folder / "spec.yaml", entry_points=False)


def environment(folder: Path, check: str) -> dict[str, str]:
    """What a worker tells of where it measures."""
    plan, _ = prepared(folder, check)
    recorder = Recorder()
    work(Job(plan=plan, entry_points=False), recorder)
    return next(message.facts for message in recorder.messages if isinstance(message, Environment))


def test_the_hash_is_that_of_the_file_whose_weights_are_measured(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(WEIGHTS)
    assert environment(tmp_path, "loss_drop: 0.5")["checkpoint_sha256"] == SHA256


@pytest.mark.parametrize("check", ["max_trainable_params: 5", "loss_drop: 0.5"])
def test_without_the_file_no_hash_is_claimed(check: str, tmp_path: Path) -> None:
    assert environment(tmp_path, check)["checkpoint_sha256"] == ""


def test_a_spec_is_valid_where_its_checkpoint_is_not(tmp_path: Path) -> None:
    plan, _ = prepared(tmp_path, "loss_drop: 0.5")
    assert plan.spec.model is not None
    assert plan.spec.model.checkpoint == "w.safetensors"


def test_a_checkpoint_that_changes_between_two_workers_is_a_fault_of_the_run(tmp_path: Path) -> None:
    plan, catalog = prepared(tmp_path, "loss_drop: 0.5")
    live = LiveReport([opening(plan, catalog, strict=False)], catalog, {})
    told = {"device": "cpu", "threads": "2", "checkpoint_sha256": SHA256}
    live.part.note_environment(told)
    live.part.note_environment(told)
    assert (live.report.provenance.checkpoint_sha256, live.report.faults) == (SHA256, ())
    live.part.note_environment({**told, "checkpoint_sha256": "0f" * 32})
    assert live.report.faults == ("the checkpoint changed during the run: some verdicts are about its old content",)


def test_so_is_an_adapter_that_does(tmp_path: Path) -> None:
    plan, catalog = prepared(tmp_path, "loss_drop: 0.5")
    live = LiveReport([opening(plan, catalog, strict=False)], catalog, {})
    told = {"device": "cpu", "threads": "2", "adapter_sha256": SHA256}
    live.part.note_environment(told)
    live.part.note_environment({**told, "adapter_sha256": "0f" * 32})
    assert live.report.faults == ("the adapter changed during the run: some verdicts are about its old content",)
