"""`run: {executor: ray, resources: {...}}`: what a spec can say of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from retspec.executors import Engine, executor

from retspec_ray.engine import RayEngine
from retspec_ray.records import Needs

_BYTES = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}

Memory = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]{0,8}(MB|GB|MiB|GiB)$", description="That Ray keeps free for it.", examples=["16GiB"]),
]


@executor
def ray(
    *,
    gpus: Annotated[int, Meta(ge=0, description="GPUs of each task.")] = 0,
    cores: Annotated[int, Meta(ge=1, description="CPU cores of each task.")] = 1,
    memory: Memory | None = None,
    hours: Annotated[float, Meta(gt=0, le=8760, description="After which a task is ended.")] = 24.0,
    address: Annotated[
        str,
        Meta(
            min_length=1,
            description="Of the cluster: auto takes RAY_ADDRESS, or the cluster that runs on this machine.",
            examples=["auto", "10.0.0.5:6379"],
        ),
    ] = "auto",
    cwd: Annotated[
        str,
        Meta(description="The folder on the nodes that is the working directory; the same path as here by default."),
    ] = "",
) -> Engine:
    """Tasks on a Ray cluster, whose nodes need not share a disk."""
    return RayEngine(address, Needs(gpus=gpus, cores=cores, memory=_bytes(memory), hours=hours, cwd=cwd))


def _bytes(memory: str | None) -> int:
    if memory is None:
        return 0
    unit = memory.lstrip("0123456789")
    return int(memory.removesuffix(unit)) * _BYTES[unit]
