"""Measure: run worker processes, watch them, and turn everything that can happen to them into outcomes.

A worker that crashes, hangs or is killed costs the criteria that waited for it their verdict; a fresh worker takes the
rest, at most three times. The supervisor never waits for the end of a pipe, since children of the worker may hold it.
"""

from retspec.measure.flow import measure
from retspec.measure.lanes import Turn, measure_all
from retspec.measure.libraries import libraries_for
from retspec.measure.workers import Workers

__all__ = ["Turn", "Workers", "libraries_for", "measure", "measure_all"]
