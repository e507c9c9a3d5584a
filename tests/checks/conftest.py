"""What the tests of the checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.photos import write_photos
from tests.tiny import write_checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the files that `model.checkpoint` of some specs names."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoints(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETSPEC_TEST_CHECKPOINTS", str(folder))
        yield


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the datasets that `data` of some specs names."""
    folder = tmp_path_factory.mktemp("images")
    write_photos(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETSPEC_TEST_IMAGES", str(folder))
        yield
