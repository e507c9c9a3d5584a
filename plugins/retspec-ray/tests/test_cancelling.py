"""Cancelling on a node that ignores SIGINT, as all does that a script starts in its background."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from ray_tasks import NODE, SLEEPS, Late, are_gone, ctrl_c, ended, processes, said, scripted, until, with_needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ray.cluster_utils import Cluster

    from retspec_ray.engine import RayEngine


@pytest.fixture
def on_deaf(cluster: Cluster, engine: RayEngine) -> Iterator[RayEngine]:
    """A front end whose tasks go to such a node: no other has two cores."""
    with ctrl_c(signal.SIG_IGN):
        node = cluster.add_node(**{**NODE, "num_cpus": 2})
    yield with_needs(engine, cores=2)
    cluster.remove_node(node, allow_graceful=False)


def test_a_task_is_cancelled(on_deaf: RayEngine, tmp_path: Path) -> None:
    task = scripted(tmp_path, SLEEPS)
    (handle,) = on_deaf.submit([task]).values()
    pids = said(on_deaf, handle, task.folder)
    on_deaf.cancel([handle])
    assert until(lambda: are_gone(pids["pid"], pids["orphan"]))
    assert ended(on_deaf, handle).reason == "cancelled"


def test_a_task_that_is_cancelled_while_it_arrives_never_starts(on_deaf: RayEngine, tmp_path: Path) -> None:
    (handle,) = on_deaf.submit([scripted(tmp_path, "Path('started').touch()", kind=Late)]).values()
    until((tmp_path / "arriving").exists)
    on_deaf.cancel([handle])
    assert until(lambda: not processes("ray::measure"))
    assert not (tmp_path / "started").exists()
