"""Measure: run worker processes, watch them, and turn everything that can happen to them into outcomes.

A worker that crashes, hangs or is killed costs the criteria that waited for it their verdict; a fresh worker takes the
rest, at most three times. The supervisor never waits for the end of a pipe, since children of the worker may hold it.
"""

from retspec.engine.supervisor.libraries import libraries_for
from retspec.engine.supervisor.scheduler import Turn, measure_all
from retspec.engine.supervisor.supervise import measure
from retspec.engine.supervisor.worker_pool import Workers

__all__ = ["Turn", "Workers", "libraries_for", "measure", "measure_all"]
