"""Measure: run worker processes, watch them, and turn everything that can happen to them into outcomes.

If a worker crashes, hangs or is killed, the criteria that waited for it get no verdict. A new worker measures the
rest, at most three times. The supervisor never waits for the end of a pipe: children of the worker may hold it open.
"""

from retspec.engine.supervisor.libraries import libraries_for
from retspec.engine.supervisor.scheduler import Turn, measure_all
from retspec.engine.supervisor.supervise import measure
from retspec.engine.supervisor.worker_pool import Workers

__all__ = ["Turn", "Workers", "libraries_for", "measure", "measure_all"]
