"""A real Ray cluster of two nodes, on this machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ray_tasks import PYTHONPATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.cluster_utils import Cluster

STORE = 80 << 20


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    pytest.importorskip("ray", reason="the tests on a Ray cluster need Ray: pip install ray")
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - where it is there

    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", PYTHONPATH)
        # Where Ray writes the address of the cluster, whatever TMPDIR says; it makes no folder for it.
        patch.setenv("RAY_TMPDIR", folder)
        Path(folder, "ray").mkdir()
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_health_check_period_ms", "500")
        patch.setenv("RAY_health_check_failure_threshold", "3")
        node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE}
        made = Cluster(initialize_head=True, head_node_args={**node, "temp_dir": folder})
        try:
            made.add_node(**node)
            made.wait_for_nodes()
            yield made
        finally:
            made.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
