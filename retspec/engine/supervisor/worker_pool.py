"""The workers of a lane: a worker that has done its job gets the next one and reuses what it has loaded and built."""

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
    """Provides workers, at most one of which waits for its next job.

    live_output: what they print is shown at once, and not kept.
    """

    def __init__(self, *, live_output: bool = False) -> None:
        self.live_output = live_output
        self.modules: set[str] = set()
        """The files of the user's modules that they imported."""
        self.could_be_prepared = False
        """Whether a job was one for a worker that has imported torch in advance."""
        self._stop = Event()
        self._resting: tuple[object, WorkerProcess] | None = None

    def warm_up_for(self, document: Document, gathered: Callable[[], Catalog]) -> None:
        """Start a worker, if none waits: it imports what the model of a spec needs while the spec is validated.

        gathered: returns the catalog, whose sources declare what they import; it is called while the worker starts.
        """
        if self._resting is None and document.model_keys:
            self.prepare(lambda: libraries_for(document.model_keys, gathered().model_sources))

    def prepare(self, libraries: Callable[[], tuple[str, ...]]) -> None:
        """Start a worker that imports libraries and waits for its first job.

        libraries: returns their names; it is called while the worker starts.
        """
        with suppress(RetspecError):  # the job that needs the worker reports it
            process = self._started()
            self._resting = (_ANY, process)
            process.send(Libraries(libraries()))

    def another(self) -> Workers:
        """Return the workers of another lane of the same run."""
        workers = Workers(live_output=self.live_output)
        workers.modules = self.modules
        return workers

    @contextmanager
    def worker_for(self, job: Job) -> Iterator[WorkerProcess]:
        """Provide a worker that has been sent the job; end it afterwards, unless `rest` was called for it.

        Raises RetspecError if no worker can be started.
        """
        self.could_be_prepared |= _fits_any(job)
        process = self._rested(job) or self._started()
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
        """Let the waiting worker end; return what it did instead of ending well, or an empty string."""
        kind, process = self._resting or (_ANY, None)
        fault = "" if process is None or kind is _ANY else process.finish()
        self.close()
        return fault

    def stop(self) -> None:
        """Raise Stopped in the thread that reads from a worker."""
        self._stop.set()

    def close(self) -> None:
        """End the waiting worker, if there is one."""
        if self._resting is not None:
            _, process = self._resting
            self._resting = None
            process.close()

    def _started(self) -> WorkerProcess:
        return WorkerProcess(self._stop, live_output=self.live_output)

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
    """Whether a worker that has already imported libraries may do this job: `run.memory` would count them."""
    return job.plan.needs_torch and job.plan.spec.run.memory is None
