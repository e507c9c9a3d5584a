"""What a spec can say of Ray, and what a user reads, without a cluster."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from ray_tasks import WITHOUT

from retspec_ray import ray
from retspec_ray.needs import lacking
from retspec_ray.records import Needs

README = Path(__file__).parents[1] / "README.md"
NODES = [
    {"Alive": True, "Resources": {"CPU": 8.0, "memory": 64e9}},
    {"Alive": True, "Resources": {"CPU": 2.0, "GPU": 1.0, "memory": 8e9}},
    {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0, "memory": 512e9}},
]


def test_the_table_explains_each_resource() -> None:
    (table,) = re.findall(r"^\| `resources` .*?\n\n", README.read_text(), re.DOTALL | re.MULTILINE)
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE)[1:] == list(ray.arguments)


@pytest.mark.parametrize(
    ("memory", "size"), [(None, 0), ("16GiB", 16 << 30), ("500MB", 500_000_000), ("2GB", 2_000_000_000)]
)
def test_memory_has_a_unit(memory: str | None, size: int) -> None:
    engine: Any = ray.function(memory=memory)
    assert engine._needs.memory == size


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"cores": 8}, ""),
        ({"cores": 2, "gpus": 1}, ""),
        ({"cores": 3, "gpus": 1}, "no node of the cluster has cores: 3, gpus: 1"),
        ({"gpus": 2}, "no node of the cluster has cores: 1, gpus: 2"),
        ({"memory": 10**11}, "no node of the cluster has cores: 1, bytes of memory: 100000000000"),
    ],
)
def test_one_node_must_have_all_that_a_task_needs(needs: dict[str, Any], said: str) -> None:
    assert lacking(Needs(**needs), NODES) == said


def test_what_ray_raises_is_said_in_one_line() -> None:
    exceptions = pytest.importorskip("ray.exceptions", reason=WITHOUT)
    from retspec_ray.reasons import reason_of  # noqa: PLC0415 - it imports Ray

    def said(error: BaseException) -> str:
        return asyncio.run(reason_of(error, "abc"))

    assert said(exceptions.OutOfMemoryError("Task was killed\nby the monitor")).startswith("out of memory: ")
    assert said(exceptions.TaskCancelledError()) == "cancelled"
    raised = exceptions.RayTaskError("measure", "Traceback\n  File\nModuleNotFoundError: No module named 'torch'", None)
    assert said(raised) == "ModuleNotFoundError: No module named 'torch'"
    assert said(exceptions.RuntimeEnvSetupError("first\nsecond")).startswith("RuntimeEnvSetupError: ")
    assert "\n" not in said(exceptions.RuntimeEnvSetupError("first\nsecond"))
