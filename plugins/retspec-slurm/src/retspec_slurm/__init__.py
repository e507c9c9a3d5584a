"""Measure on the nodes of a Slurm cluster: `retspec run --executor slurm`.

It speaks to Slurm by `sbatch`, `squeue`, `scontrol` and `scancel`, and needs no accounting database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import hookimpl

from retspec_slurm.resources import slurm

if TYPE_CHECKING:
    from retspec.executors import Executor


@hookimpl
def retspec_executors() -> list[Executor]:
    """Offer the one executor."""
    return [slurm]
