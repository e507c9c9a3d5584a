"""A real Ray cluster of two nodes, on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ray_tasks import NODE, PATIENCE, PYTHONPATH, WITHOUT, ctrl_c, processes, until

from retspec_ray.engine import RayEngine
from retspec_ray.link import Link
from retspec_ray.records import Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.cluster_utils import Cluster

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A node that died is known as dead in less than a second; one that is only slow has the usual ten.
    "RAY_health_check_period_ms": "200",
    "RAY_health_check_failure_threshold": "3",
    # What else fills the memory of this machine costs no task.
    "RAY_memory_monitor_refresh_ms": "0",
}


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver find what pytest finds."""
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)


@dataclass(frozen=True)
class Started:
    """A cluster, and the environment in which it was started."""

    cluster: Cluster
    environment: dict[str, str]


@pytest.fixture(scope="session")
def _started() -> Iterator[Started]:
    """One for all tests of this process: a cluster takes its time to start."""
    pytest.importorskip("ray", reason=WITHOUT)
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - where it is there

    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    # Where Ray writes the address of the cluster, whatever TMPDIR says; it makes no folder for it.
    Path(folder, "ray").mkdir()
    environment = {**ENVIRONMENT, "PYTHONPATH": PYTHONPATH, "RAY_TMPDIR": folder}
    made = Cluster()
    try:
        with _only(environment), ctrl_c(signal.default_int_handler):
            made.add_node(wait=False, temp_dir=folder, **NODE)
            made.add_node(wait=False, **NODE)
            made.wait_for_nodes(PATIENCE)
        yield Started(made, environment)
    finally:
        with _only(environment):
            made.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _only(environment: dict[str, str]) -> Iterator[None]:
    """Set these variables, and no others that Ray reads."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def cluster(_started: Started) -> Iterator[Cluster]:
    """The cluster; what a test leaves behind on it ends with the test, also where it failed."""
    with _only(_started.environment):
        yield _started.cluster
        until(_is_free)


def _is_free() -> bool:
    left = [pid for name in ("ray::Desk", "ray::measure") for pid in processes(name)]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not left


@pytest.fixture(scope="session")
def _link(_started: Started) -> Iterator[Link]:
    """One for all tests: a driver takes its time to start."""
    link = Link(_started.cluster.address)
    yield link
    link._end()


@pytest.fixture
def engine(cluster: Cluster, _link: Link) -> RayEngine:
    """A front end."""
    assert cluster.address
    engine = RayEngine("", Needs())
    engine._link = _link
    return engine
