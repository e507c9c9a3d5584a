"""The subjects that the tests of `retspec prove` write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.conftest import written
from tests.predictions.planting import FOLDER as PREDICTIONS
from tests.predictions.planting import write_tables
from tests.proving.planting import FOLDER, write_dataset
from tests.tiny import write_checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
