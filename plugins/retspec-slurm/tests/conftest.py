"""One cluster for all tests of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slurm_cluster import cluster, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slurm_cluster import Cluster


@pytest.fixture(scope="session")
def _slurm() -> Iterator[Cluster]:
    if reason := why_not():
        pytest.skip(reason)
    with cluster() as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(found.conf))
        yield found


@pytest.fixture
def slurm(_slurm: Cluster) -> Iterator[Cluster]:
    """The cluster; what a test leaves behind on it is cancelled."""
    yield _slurm
    _slurm.be_free()
