"""Plan: which measurements the criteria need, each once per distinct arguments, cheap before expensive."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.errors import NothingSelected, PluginError, UsageError, describe, did_you_mean
from retspec.plugins.kinds import MADE_TRAINING, OF_SPEC, PARTS, WITHOUT_TORCH, Cost
from retspec.records import RECIPE_KEYS, CheckStep, Criterion, MeasurementStep, Passes, Plan, Spec
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Measurement, PassCounter
    from retspec.plugins.signatures import Argument
    from retspec.spec.document import Document


_FROM_THE_RUN = frozenset({"training", "data_wait"})
"""Measurements that read a watched training, and train nothing then."""
_OF_THE_RUN = PARTS - WITHOUT_TORCH - {"device", "data_folders", MADE_TRAINING}
"""Parts of the subject for which a training of the user's own is watched."""
_WITHOUT_SEED = frozenset(
    {
        *("skeleton", "optional_skeleton", "checkpoint_file", "transforms", "config", "data_folders", "device"),
        *("prediction_files", "progress"),
    }
)
"""Parts of the subject that are the same under every seed. Files of predictions are about one model, as it is."""


def make_plan(
    spec: Spec,
    catalog: Catalog,
    *,
    select: Sequence[str] = (),
    tags: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Plan:
    """Return the plan for the selected criteria of a spec.

    select, skip: patterns of criterion ids; a pattern without wildcards matches any part of the id.
    tags: a criterion is selected if it has one of them.

    Raises NothingSelected if no criterion is left, or a pattern of `select` matches none: a typo must not shrink a run.
    Raises UsageError for an unknown tag, PluginError if a measurement cannot count its passes, and DoesNotApply for a
    spec that cannot have the fault that is to be planted.
    """
    spec = _with_fault(spec, catalog)
    chosen = _selected(spec.criteria, select, tags, skip)
    running = [criterion for criterion in chosen if criterion.skip is None]
    running.sort(key=lambda criterion: (_cost(criterion, catalog), _begins_from_training(criterion, catalog)))
    planner = _Planner(spec, catalog)
    checks = tuple(planner.add(criterion) for criterion in running)
    return Plan(
        spec=spec,
        measurements=planner.measurements,
        checks=checks,
        skipped=tuple(criterion for criterion in chosen if criterion.skip is not None),
        needs_weights=planner.reads("model")
        or (spec.training is None and planner.reads("own_optimizers"))
        or (planner.makes_predictions and planner.reads("prediction_files")),
        predicted=tuple(spec.predictions.made) if spec.predictions and planner.reads("prediction_files") else (),
        watched_steps=spec.train.steps if planner.is_launched and any(map(planner.reads, _OF_THE_RUN)) else 0,
    )


def _with_fault(spec: Spec, catalog: Catalog) -> Spec:
    """Return a spec with the fault in it that it names, if that is one of specs; all others are planted later."""
    fault = catalog.faults.get(spec.run.fault)
    if fault is None or fault.part != OF_SPEC:
        return spec
    planted: Spec = fault(spec)
    return replace(planted, criteria=tuple(_following(each, spec, planted) for each in planted.criteria))


def _following(criterion: Criterion, before: Spec, after: Spec) -> Criterion:
    """Return a criterion whose arguments are those of the new recipe, where they were those of the old one."""
    changed = {
        name: getattr(after.train, name)
        for name, value in criterion.arguments.items()
        if name in RECIPE_KEYS and value == getattr(before.train, name)
    }
    return replace(criterion, arguments={**criterion.arguments, **changed})


def select_cells(documents: Sequence[Document], patterns: Sequence[str]) -> list[Document]:
    """Return the cells whose names match one of the patterns; all cells if there is no pattern.

    Raises UsageError for a spec without a matrix, NothingSelected for a pattern that no cell matches.
    """
    names = [document.cell for document in documents]
    if patterns and not all(names):
        raise UsageError(f"{documents[0].file} has no matrix, so there is no cell to select")
    for pattern in patterns:
        if not any(_matches(name, [pattern]) for name in names):
            near = did_you_mean(pattern, names)
            known = listing([*map(quoted, names)])
            raise NothingSelected(f"nothing selected: no cell matches {pattern!r}{near}; there are {known}")
    chosen = [document for document in documents if not patterns or _matches(document.cell, patterns)]
    return [replace(document, unselected_cells=len(documents) - len(chosen)) for document in chosen]


def _selected(
    criteria: Sequence[Criterion], select: Sequence[str], tags: Sequence[str], skip: Sequence[str]
) -> list[Criterion]:
    for tag in tags:
        if not any(tag in criterion.tags for criterion in criteria):
            raise UsageError(f"no criterion has the tag {tag!r}; there are {_known_tags(criteria)}")
    names = [criterion.id for criterion in criteria]
    _require_matches(select, names)
    chosen = [
        criterion
        for criterion in criteria
        if (not select or _matches(criterion.id, select))
        and (not tags or set(tags).intersection(criterion.tags))
        and not _matches(criterion.id, skip)
    ]
    if not chosen:
        raise NothingSelected(f"nothing selected: none of the {len(criteria)} criteria is left ({', '.join(names)})")
    return chosen


def _require_matches(patterns: Sequence[str], names: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(_matches(name, [pattern]) for name in names):
            raise NothingSelected(
                f"nothing selected: no criterion matches {pattern!r}{did_you_mean(pattern, names)}; "
                f"there are {', '.join(names)}"
            )


def _known_tags(criteria: Sequence[Criterion]) -> str:
    return ", ".join(sorted({tag for criterion in criteria for tag in criterion.tags})) or "no tags at all"


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return name in patterns or any(fnmatchcase(name, p if set(p) & set("*?[") else f"*{p}*") for p in patterns)


def _cost(criterion: Criterion, catalog: Catalog) -> int:
    names = catalog.measurements_of(catalog.checks[criterion.check])
    return max((int(catalog.measurements[name].cost) for name in names), default=0)


def _begins_from_training(criterion: Criterion, catalog: Catalog) -> bool:
    """Whether a training that is made before may take less of it."""
    names = catalog.measurements_of(catalog.checks[criterion.check])
    return any(MADE_TRAINING in catalog.measurements[name].inputs for name in names)


class _Planner:
    """Collects measurements in order; a later one may read an earlier one."""

    def __init__(self, spec: Spec, catalog: Catalog) -> None:
        self._recipe = spec.train
        launchers = {source.name for source in catalog.launchers}
        self.is_launched = spec.training is not None and spec.training.source in launchers
        self._catalog = catalog
        self.makes_predictions = spec.predictions is not None and spec.predictions.make is not None
        self._without_torch = WITHOUT_TORCH if spec.model else WITHOUT_TORCH | {"optional_skeleton"}
        if self.makes_predictions:
            self._without_torch -= {"prediction_files"}
        data = catalog.data_sources.get(spec.data.source)
        self._without_seed = _WITHOUT_SEED | ({"dataset"} if data is not None and data.gives_files else set())
        self._steps: dict[str, MeasurementStep] = {}

    @property
    def measurements(self) -> tuple[MeasurementStep, ...]:
        may_share = "training" in self._steps and not self.is_launched
        return tuple(self._beside_training(step) if may_share else step for step in self._steps.values())

    def reads(self, part: str) -> bool:
        """Whether some measurement reads this part of the subject."""
        return any(part in step.inputs.values() for step in self._steps.values())

    def add(self, criterion: Criterion) -> CheckStep:
        """Plan the measurements that one criterion needs."""
        check = self._catalog.checks[criterion.check]
        inputs = {name: self._measure(name, criterion) for name in check.measurements}
        own = {name: value for name, value in criterion.arguments.items() if name in check.arguments}
        varies = any(map(self._varies, inputs.values()))
        return CheckStep(criterion=criterion, inputs=inputs, arguments=own, varies=varies)

    def _measure(self, name: str, criterion: Criterion) -> str:
        """Plan a measurement and all that it reads, and return its key."""
        if name in PARTS:
            return name
        measurement = self._catalog.measurements[name]
        inputs = {source: self._measure(source, criterion) for source in measurement.inputs}
        arguments = self._arguments(measurement.arguments, criterion.arguments)
        key = self._key(measurement, arguments, inputs)
        step = self._steps.get(key) or MeasurementStep(
            key=key,
            name=name,
            cost=measurement.cost.name.lower(),
            arguments=arguments,
            inputs=inputs,
            passes=self._passes(measurement, measurement.passes, arguments) or Passes(),
            fewest_passes=self._passes(measurement, measurement.fewest_passes, arguments) or Passes(),
            criteria=(),
            needs_torch=measurement.needs_torch or any(map(self._needs_torch, inputs.values())),
            varies=measurement.cost is not Cost.STATIC or any(map(self._varies, inputs.values())),
        )
        self._steps[key] = replace(step, criteria=tuple(dict.fromkeys((*step.criteria, criterion.id))))
        return key

    def _needs_torch(self, source: str) -> bool:
        """Whether torch is needed for an input: a part of the subject, or a measurement that is planned already."""
        return self._steps[source].needs_torch if source in self._steps else source not in self._without_torch

    def _varies(self, source: str) -> bool:
        """Whether another seed may change an input: a part of the subject, or a measurement that is planned already."""
        return self._steps[source].varies if source in self._steps else source not in self._without_seed

    def _beside_training(self, step: MeasurementStep) -> MeasurementStep:
        """Return a measurement with its passes beside a training that it may share: it tries that first."""
        measurement = self._catalog.measurements[step.name]
        shared = self._passes(measurement, measurement.shared_passes, step.arguments)
        return replace(step, passes=step.passes + shared, fewest_passes=shared) if shared else step

    def _passes(
        self, measurement: Measurement, count: PassCounter | None, arguments: Mapping[str, Any]
    ) -> Passes | None:
        if count is None:
            return None
        if self.is_launched and measurement.name in _FROM_THE_RUN:
            return Passes()
        try:
            return count(self._recipe, **arguments)
        except Exception as error:
            raise PluginError(
                f"measurement {measurement.name!r}: counting its passes raised {describe(error)}"
            ) from error

    def _default(self, argument: Argument) -> Any:
        """Return the default of an argument; a required one with the name of a key of `train:` takes its value."""
        from_recipe = argument.is_required and argument.name in RECIPE_KEYS
        return getattr(self._recipe, argument.name) if from_recipe else argument.default

    def _arguments(self, declared: Mapping[str, Argument], given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: given.get(name, self._default(argument)) for name, argument in declared.items()}

    def _key(self, measurement: Measurement, arguments: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """Name a measurement by its arguments that differ from the default, and by inputs that have such arguments."""
        apart = [
            f"{name}={value!r}"
            for name, value in arguments.items()
            if value != self._default(measurement.arguments[name])
        ]
        apart += [key for key in inputs.values() if "(" in key]
        return f"{measurement.name}({', '.join(apart)})" if apart else measurement.name
