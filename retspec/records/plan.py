"""The plan: the measurements of a run, and the criteria that need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from retspec.records.spec import Criterion, Spec


@dataclass(frozen=True)
class Passes:
    """The number of forward and backward passes through the real model, counted in batches."""

    forward: int = 0
    backward: int = 0
    steps: int = 0
    """Optimizer steps of the user's own training, run once more; how many passes they take, only it knows."""

    def __add__(self, other: Passes) -> Passes:
        return Passes(self.forward + other.forward, self.backward + other.backward, self.steps + other.steps)


@dataclass(frozen=True, kw_only=True)
class MeasurementStep:
    """One measurement with its arguments: made once, shared by the criteria that need it."""

    key: str
    name: str
    cost: str
    arguments: Mapping[str, Any]
    inputs: Mapping[str, str]
    """Parameter name to the key of the measurement that fills it, or to the name of a part of the subject."""
    passes: Passes
    """The most passes that it may take."""
    fewest_passes: Passes
    """The fewest passes that it may take: the same number, unless it may end early."""
    criteria: tuple[str, ...]
    needs_torch: bool = True


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """One criterion and the measurements that its check reads."""

    criterion: Criterion
    inputs: Mapping[str, str]
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The measurements and checks of a run, in order: inputs before what reads them, cheap before expensive."""

    spec: Spec
    measurements: tuple[MeasurementStep, ...]
    checks: tuple[CheckStep, ...]
    skipped: tuple[Criterion, ...] = ()
    needs_weights: bool = True
    watched_steps: int = 0
    """Optimizer steps for which a training of the user's own is watched, once for all; 0 where nothing reads it."""
    predicted: tuple[str, ...] = ()
    """Splits that the model predicts, with a forward pass per batch; how many batches they are, only the data know."""

    @property
    def needs_torch(self) -> bool:
        """Whether a measurement may import torch, which takes seconds; one that only reads files does not."""
        return any(step.needs_torch for step in self.measurements)

    @property
    def passes(self) -> Passes:
        """All passes of the run, at most."""
        return sum((step.passes for step in self.measurements), Passes())

    @property
    def fewest_passes(self) -> Passes:
        """All passes of the run if every measurement ends as early as it may."""
        return sum((step.fewest_passes for step in self.measurements), Passes())

    def criterion(self, name: str) -> Criterion:
        """Return the criterion with that id; raises KeyError if the plan does not run it."""
        return {step.criterion.id: step.criterion for step in self.checks}[name]

    def with_threads(self, threads: int) -> Plan:
        """Return the plan with that many CPU threads of torch."""
        return replace(self, spec=replace(self.spec, run=replace(self.spec.run, threads=threads)))

    def restricted_to(self, ids: Iterable[str]) -> Plan:
        """Return the part of the plan that these criteria need."""
        keep = set(ids)
        return replace(
            self,
            checks=tuple(step for step in self.checks if step.criterion.id in keep),
            measurements=tuple(step for step in self.measurements if keep.intersection(step.criteria)),
        )
