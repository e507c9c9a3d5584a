"""The unit in which the memory checks read bytes and operations."""

from __future__ import annotations

GIGA = 1e9
"""Bytes in a GB, operations in a GFLOP: the SI prefix, not 2^30."""
