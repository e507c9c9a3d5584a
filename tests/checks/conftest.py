"""What the tests of the checks share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.photos import write_photos
from tests.predictions.compared import write_compared
from tests.predictions.planting import FOLDER, write_tables
from tests.tiny_checkpoints import write_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the files that `model.checkpoint` of some specs names."""
    with written("RETSPEC_TEST_CHECKPOINTS", write_checkpoints, tmp_path_factory.mktemp("checkpoints")):
        yield


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the datasets that `data` of some specs names."""
    with written("RETSPEC_TEST_IMAGES", write_photos, tmp_path_factory.mktemp("images")):
        yield


@pytest.fixture(scope="session")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the tables that `predictions` of some specs names."""
    folder = tmp_path_factory.mktemp("predictions")
    write_compared(folder)
    with written(FOLDER, write_tables, folder):
        yield


@contextmanager
def written(variable: str, write: Callable[[Path], None], folder: Path) -> Iterator[None]:
    """Write files into a folder, which an environment variable names for the specs."""
    write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, str(folder))
        yield
