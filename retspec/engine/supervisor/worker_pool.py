"""The workers of a lane: one that has done its job gets the next one, and reuses what it has loaded and built."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from retspec.engine.protocol import Libraries
from retspec.engine.supervisor.libraries import libraries_for
from retspec.engine.supervisor.worker_process import WorkerProcess
from retspec.errors import RetspecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.engine.protocol import Job
    from retspec.plugins.catalog import Catalog
    from retspec.spec.document import Document

_ANY = object()
"""The kind of a worker that has imported libraries and nothing else."""


class Workers:
    """Hands out workers, at most one of which waits for its next job."""

    def __init__(self) -> None:
        self._stop = Event()
        self._resting: tuple[object, WorkerProcess] | None = None

    def warm_up_for(self, document: Document, gathered: Callable[[], Catalog]) -> None:
        """Start a worker, if none waits: it imports what the model of a spec needs while the spec is validated.

        gathered: returns the catalog, whose sources know what they import; it is called while the worker starts.
        """
        if self._resting is not None or not document.model_keys:
            return
        with suppress(RetspecError):  # the job that needs the worker reports it
            process = WorkerProcess(self._stop)
            self._resting = (_ANY, process)
            process.send(Libraries(libraries_for(document.model_keys, gathered().model_sources)))

    @contextmanager
    def worker_for(self, job: Job) -> Iterator[WorkerProcess]:
        """Yield a worker that has the job; afterwards it is ended, unless `rest` was called for it.

        Raises RetspecError when none can be started.
        """
        process = self._rested(job) or WorkerProcess(self._stop)
        process.send(job)
        try:
            yield process
        finally:
            if self._resting is None or self._resting[1] is not process:
                process.close()

    def rest(self, process: WorkerProcess, job: Job) -> None:
        """Keep a worker that has done this job for the next one of its kind."""
        self._resting = (kind_of(job), process)

    def finish(self) -> str:
        """Let the waiting worker finish; return what it did instead of ending well, or nothing."""
        kind, process = self._resting or (_ANY, None)
        fault = "" if process is None or kind is _ANY else process.finish()
        self.close()
        return fault

    def stop(self) -> None:
        """Stop the thread that reads from a worker: Stopped is raised there."""
        self._stop.set()

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
        if not (kind == kind_of(job) or (kind is _ANY and _fits_any(job))) or not process.is_alive:
            self.close()
            return None
        self._resting = None
        return process


def kind_of(job: Job) -> object:
    """Return what jobs of one process have in common: what is set or imported once and cannot be taken back."""
    run = job.plan.spec.run
    return job.plugins, job.entry_points, run.memory, run.threads, Path(job.plan.spec.file).resolve().parent


def _fits_any(job: Job) -> bool:
    """Whether a worker may do this job that has imported libraries already: what they take counts as memory."""
    return job.plan.needs_torch and job.plan.spec.run.memory is None
