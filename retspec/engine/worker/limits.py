"""Holding the worker to the memory that the spec grants."""

from __future__ import annotations

import resource

from retspec.records import Size, bytes_of


def limit_memory(size: Size | None) -> None:
    """Let an allocation beyond that size fail, here and in each process started from here.

    What is counted is memory of the process's own on the CPU (RLIMIT_DATA). Reserved addresses, of which CUDA takes
    many, are not, nor is memory on a GPU. macOS takes the limit and does not enforce it.
    """
    if size is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    granted = bytes_of(size) if hard == resource.RLIM_INFINITY else min(bytes_of(size), hard)
    resource.setrlimit(resource.RLIMIT_DATA, (granted, hard))
