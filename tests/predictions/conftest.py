"""The tables that the specs of these tests name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.conftest import written
from tests.predictions.planting import FOLDER, write_tables

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write a table for every planted fault."""
    with written(FOLDER, write_tables, tmp_path_factory.mktemp("predictions")):
        yield
