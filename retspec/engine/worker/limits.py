"""Limit the memory of the worker to what the spec grants."""

from __future__ import annotations

import resource

from retspec.records import Size, bytes_of


def limit_memory(size: Size | None) -> None:
    """Make an allocation beyond that size fail, in this process and in each process that it starts.

    The limit counts the private memory of the process on the CPU (RLIMIT_DATA). It does not count reserved addresses,
    of which CUDA takes many, nor memory on a GPU. macOS accepts the limit but does not enforce it.
    """
    if size is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    granted = bytes_of(size) if hard == resource.RLIM_INFINITY else min(bytes_of(size), hard)
    resource.setrlimit(resource.RLIMIT_DATA, (granted, hard))
