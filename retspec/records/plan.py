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

    def __mul__(self, times: int) -> Passes:
        return Passes(self.forward * times, self.backward * times, self.steps * times)


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
    varies: bool = True
    """Whether it may come out otherwise under another seed."""


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """One criterion and the measurements that its check reads."""

    criterion: Criterion
    inputs: Mapping[str, str]
    arguments: Mapping[str, Any]
    varies: bool = True
    """Whether it reads anything that may come out otherwise under another seed."""


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
        return sum((step.passes * self._times(step) for step in self.measurements), Passes())

    @property
    def fewest_passes(self) -> Passes:
        """All passes of the run if every measurement ends as early as it may."""
        return sum((step.fewest_passes * self._times(step) for step in self.measurements), Passes())

    def _times(self, step: MeasurementStep) -> int:
        """Return under how many seeds a measurement is made."""
        return self.spec.run.seed_count if step.varies else 1

    @property
    def rounds(self) -> tuple[Plan, ...]:
        """A plan for each seed: this one for the first, what may come out otherwise for the others."""
        again = self.restricted_to(step.criterion.id for step in self.checks if step.varies)
        others = range(1, self.spec.run.seed_count) if again.checks else ()
        return (self, *(again.with_run(seed=self.spec.run.seed + number) for number in others))

    def criterion(self, name: str) -> Criterion:
        """Return the criterion with that id; raises KeyError if the plan does not run it."""
        return {step.criterion.id: step.criterion for step in self.checks}[name]

    def with_run(self, **options: Any) -> Plan:
        """Return the plan with other options in its section `run`, such as another seed."""
        return replace(self, spec=replace(self.spec, run=replace(self.spec.run, **options)))

    def restricted_to(self, ids: Iterable[str]) -> Plan:
        """Return the part of the plan that these criteria need."""
        keep = set(ids)
        return replace(
            self,
            checks=tuple(step for step in self.checks if step.criterion.id in keep),
            measurements=tuple(step for step in self.measurements if keep.intersection(step.criteria)),
        )
