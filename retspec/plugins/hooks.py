"""The hooks of pluggy: every one that a plugin may implement, with `@hookimpl` on a function of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from retspec.plugins.kinds import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.plugins.kinds import Check, Executor, Fault, Measurement, Reporter, Source
    from retspec.records import Report, Result, Spec

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """Offers (eight hooks that return lists) and observations (seven that return nothing)."""

    @hookspec
    def retspec_checks(self) -> Sequence[Check]:
        """Return the checks that this plugin offers."""
        raise NotImplementedError

    @hookspec
    def retspec_measurements(self) -> Sequence[Measurement]:
        """Return the measurements that this plugin offers."""
        raise NotImplementedError

    @hookspec
    def retspec_model_sources(self) -> Sequence[Source]:
        """Return new keys under `model:`."""
        raise NotImplementedError

    @hookspec
    def retspec_data_sources(self) -> Sequence[Source]:
        """Return new keys under `data:`."""
        raise NotImplementedError

    @hookspec
    def retspec_training_sources(self) -> Sequence[Source]:
        """Return new keys under `train:`: kinds of training other than the recipe."""
        raise NotImplementedError

    @hookspec
    def retspec_reporters(self) -> Sequence[Reporter]:
        """Return new output formats."""
        raise NotImplementedError

    @hookspec
    def retspec_executors(self) -> Sequence[Executor]:
        """Return new values of `run.executor`: where cells are measured, as `retspec.executors` says."""
        raise NotImplementedError

    @hookspec
    def retspec_faults(self) -> Sequence[Fault]:
        """Return new faults that `retspec prove` plants, as `retspec.faults` says."""
        raise NotImplementedError

    @hookspec
    def retspec_spec_loaded(self, spec: Spec) -> None:
        """Observe: the spec is valid, nothing has run yet."""

    @hookspec
    def retspec_run_started(self, report: Report) -> None:
        """Observe: the run starts; every criterion is in the report as not run."""

    @hookspec
    def retspec_importing(self, library: str, name: str) -> None:
        """Observe: the worker imports a library, such as `torch`, before it measures for the report of that name."""

    @hookspec
    def retspec_progress(self, measurement: str, step: int, total: int, name: str) -> None:
        """Observe: step `step` of `total` of a measurement begins; (0, 0) when it reports no steps.

        name: that of the report, or of its part for a cell of a matrix, which the measurement is for.
        """

    @hookspec
    def retspec_waiting(self, reason: str, name: str) -> None:
        """Observe: the run waits for other machines, as `reason` says: `slurm: 3 tasks at work, 9 waiting`."""

    @hookspec
    def retspec_criterion_finished(self, result: Result, name: str) -> None:
        """Observe: a criterion has its verdict, in the report of that name."""

    @hookspec
    def retspec_run_finished(self, report: Report) -> None:
        """Observe: the run is over."""
