"""The subjects that the tests of `retspec prove` write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.checks.conftest import written
from tests.predictions.planting import FOLDER as PREDICTIONS
from tests.predictions.planting import HEALTHY, write_tables
from tests.proving.planting import FOLDER, write_dataset
from tests.tiny_checkpoints import write_checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT = ("min_auroc", "max_subgroup_gap", "max_brier", "max_calibration_error")


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the tables that the spec names."""
    with written(PREDICTIONS, write_tables, tmp_path_factory.mktemp("predictions")):
        yield


@pytest.fixture
def gate(tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - they have to be there
    """A spec of four criteria about healthy predictions, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    spec = yaml.safe_load(HEALTHY.read_text())
    spec["checks"] = {name: spec["checks"][name] for name in KEPT}
    path = tmp_path / "gate.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a dataset, predictions and checkpoints, which environment variables name for the specs."""
    root = tmp_path_factory.mktemp("subjects")
    for name in ("dataset", "predictions", "checkpoints"):
        (root / name).mkdir()
    with (
        written(FOLDER, write_dataset, root / "dataset"),
        written(PREDICTIONS, write_tables, root / "predictions"),
        written("RETSPEC_TEST_CHECKPOINTS", write_checkpoints, root / "checkpoints"),
    ):
        yield root


@pytest.fixture
def nothing_stays() -> Iterator[None]:
    """Hold that what a fault patches is put back."""
    import peft
    from torch.optim import Optimizer

    before = Optimizer.__init__, peft.get_peft_model
    yield
    assert (Optimizer.__init__, peft.get_peft_model) == before
