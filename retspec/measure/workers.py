"""The workers of a run: one that has done its job gets the next one, and what it has loaded and built serves on."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.measure.process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.measure.protocol import Job


class Workers:
    """Hands out workers, at most one of which waits for its next job."""

    def __init__(self) -> None:
        self._resting: tuple[object, WorkerProcess] | None = None

    @contextmanager
    def worker_for(self, job: Job) -> Iterator[WorkerProcess]:
        """Give a worker that has the job; afterwards it is ended, unless `rest` was called for it.

        Raises RetspecError when none can be started.
        """
        process = self._rested(job) or WorkerProcess()
        process.send(job)
        try:
            yield process
        finally:
            if self._resting is None or self._resting[1] is not process:
                process.close()

    def rest(self, process: WorkerProcess, job: Job) -> None:
        """Keep a worker that has done this job for the next one of its kind."""
        self._resting = (_kind(job), process)

    def close(self) -> None:
        """End the worker that waits, if one does."""
        if self._resting is not None:
            _, process = self._resting
            self._resting = None
            process.close()

    def _rested(self, job: Job) -> WorkerProcess | None:
        if self._resting is None:
            return None
        kind, process = self._resting
        if kind != _kind(job) or not process.is_alive:
            self.close()
            return None
        self._resting = None
        return process


def _kind(job: Job) -> object:
    """Return what jobs of one process have in common: what is set or imported once and cannot be taken back."""
    run = job.plan.spec.run
    return job.plugins, job.entry_points, run.memory, run.threads, Path(job.plan.spec.file).resolve().parent
