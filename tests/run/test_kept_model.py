"""A measurement that fails half-way leaves the others what they would have observed without it, bit by bit."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from retspec.engine.worker.channel import Channel
from retspec.engine.worker.container import Container
from retspec.engine.worker.printing import Printing
from retspec.engine.worker.recording import Recording
from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.running import run
from retspec.subjects.models.seal import Seal
from retspec.subjects.recorded_warnings import WarningRecorder
from retspec.subjects.subject import Subject
from tests.run.tools import HERE, result_of, spec_in, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from peft import PeftModel

    from retspec.plugins.catalog import Catalog
    from retspec.records import MeasurementStep, Plan

pytestmark = pytest.mark.usefixtures("warm_programs")

HEAD = """\
model: {factory: "MODEL"}
data: {synthetic: {input_size: [3, 32, 32]}}
train: {steps: 3, batch_size: 3, lr: 1e-2}
run: {device: cpu}
"""
CHECKS = """\
merge_atol: 1e-3
unmerge_atol: 1e-3
reload_atol: 1e-3
loaded_adapter_effect: 1e-9
eval_drift: 0
batch_leak: 0
loss_drop: 0.001
adapter_effect: 1e-9
grad_accumulation_rtol: 1
amp_rtol: 1
determinism_atol: 0
overfit_loss: {limit: 9, with: {most_steps: 2}}
memory_growth_mb: {limit: 9, with: {iterations: 2}}
step_time_ms: {limit: 1e6, with: {steps: 3}}
input_matters: 1e-9
"""
SPOILING = str(HERE / "spoiling.py")
ELSEWHERE = {"checkpoint", "compilation", "data_wait"}
"""Those that need a file or a stream of batches, or a compiler, which takes no part in a mode of torch."""
WITNESSES = {"merging", "unmerging", "isolation", "reloading", "training"}


class Fails(TorchDispatchMode):
    """Lets one operation of torch fail, and counts them all."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.seen = at, 0

    def __torch_dispatch__(self, operation: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen += 1
        if self.seen == self.at:
            raise RuntimeError("planted")
        return operation(*args, **(kwargs or {}))


class Laboratory:
    """The container of a worker, with its subject, in this process."""

    def __init__(self, plan: Plan, catalog: Catalog, recording: Recording, channel: Channel) -> None:
        self.plan, self.catalog, self.recording, self.channel = plan, catalog, recording, channel
        self.subject = Subject(
            plan.spec,
            model_sources=catalog.model_sources,
            data_sources=catalog.data_sources,
            training_sources=catalog.training_sources,
            weights=True,
        )

    def step(self, name: str) -> MeasurementStep:
        return next(step for step in self.plan.measurements if step.name == name)

    def container(self, name: str = "", planted: Callable[..., Any] | None = None) -> Container:
        """Return a container; `planted` takes the place of the function of a measurement."""
        catalog = self.catalog
        if planted is not None:
            replaced = replace(catalog.measurements[name], function=planted)
            catalog = replace(catalog, measurements={**catalog.measurements, name: replaced})
        return Container(self.plan, catalog, self.subject, self.channel, self.recording)

    def attempt(self, step: MeasurementStep, *, at: int) -> int:
        """Measure, and let the operation `at` fail; return how many operations there were."""
        function = self.catalog.measurements[step.name].function
        fails = Fails(at)

        def planted(*inputs: Any, **arguments: Any) -> Any:
            with fails:
                return function(*inputs, **arguments)

        try:
            self.container(step.name, planted).facts(step.key)
        except Exception:  # noqa: BLE001 - whatever becomes of a failure in there
            assert at
        return fails.seen

    def witnesses(self) -> dict[str, object]:
        container = self.container()
        steps = [step for step in self.plan.measurements if step.name in WITNESSES]
        return {step.key: _without_times(container.facts(step.key)) for step in steps}


def _without_times(facts: Any) -> object:
    shown = repr(facts)
    return repr(facts.losses) + repr(facts.gradients) if hasattr(facts, "seconds") else shown


SPOILING_WAYS: dict[str, Callable[[PeftModel], object]] = {
    "eval mode": lambda model: model.eval(),
    "a hook": lambda model: model.register_forward_hook(lambda _module, _inputs, output: output * 2),
    "a frozen weight": lambda model: (
        next(p for p in model.parameters() if not p.requires_grad).data.view(-1)[7].add_(1)
    ),
    "a merge": lambda model: model.merge_adapter(),
    "a buffer": lambda model: model.base_model.model.register_buffer("left", torch.ones(1)),
    "an adapter that is off": lambda model: model.base_model.disable_adapter_layers(),
    "what trains": lambda model: model.requires_grad_(requires_grad=True),
    "a gradient": lambda model: model(torch.zeros(1, 3, 32, 32)).sum().backward(),
    "half precision": lambda model: model.half(),
}
"""What a measurement may leave behind."""


@pytest.fixture(params=["tests.tiny:vit", "tests.tiny:multihead"], ids=["vit", "multihead"])
def laboratory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Laboratory]:
    spec = spec_in(tmp_path, CHECKS, HEAD.replace("MODEL", request.param))
    plan, catalog = prepare(spec, entry_points=False)
    descriptor = os.open(tmp_path / "records", os.O_CREAT | os.O_WRONLY)
    channel = Channel(descriptor)
    with closing(Printing(channel)) as printing:
        yield Laboratory(plan, catalog, Recording(printing, WarningRecorder()), channel)
    os.close(descriptor)


def test_every_measurement_that_takes_the_model_takes_part(laboratory: Laboratory) -> None:
    takes_model = {each.name for each in laboratory.catalog.measurements.values() if "model" in each.inputs}
    assert takes_model - ELSEWHERE <= {step.name for step in laboratory.plan.measurements}


def test_whatever_operation_fails_the_others_observe_the_same(laboratory: Laboratory) -> None:
    expected, seal = laboratory.witnesses(), Seal.of(laboratory.subject.model)
    for index, step in enumerate(laboratory.plan.measurements):
        if "model" not in step.inputs.values():
            continue
        operations = laboratory.attempt(step, at=0)
        between = 1 + operations * (index % 5 + 1) // 6
        for at in (between, operations):  # the last one is where the model is being put back
            laboratory.attempt(step, at=at)
            assert seal.is_of_twin(Seal.of(laboratory.subject.model)), (step.key, at)
    assert laboratory.witnesses() == expected


@pytest.mark.parametrize("laboratory", ["tests.tiny:vit"], indirect=True)
def test_whatever_a_measurement_leaves_behind_the_model_is_what_it_was(laboratory: Laboratory) -> None:
    seal = Seal.of(laboratory.subject.model)
    evaluation = laboratory.step("evaluation")

    def leaves(way: str, *, fails: bool) -> Any:
        def planted(model: PeftModel, _batch: Any) -> int:
            SPOILING_WAYS[way](model)
            if fails:
                raise RuntimeError("planted")
            return 0

        return planted

    for index, way in enumerate(SPOILING_WAYS):
        fails, spoilt = index % 2 == 0, laboratory.subject.model
        container = laboratory.container("evaluation", leaves(way, fails=fails))
        with pytest.raises(RuntimeError) if fails else nullcontext():
            container.facts(evaluation.key)
        assert laboratory.subject.model is not spoilt, way
        assert container.facts("model") is laboratory.subject.model
        assert seal.is_of_twin(Seal.of(laboratory.subject.model)), way


@pytest.mark.parametrize("laboratory", ["tests.tiny:vit"], indirect=True)
def test_a_setting_is_put_back_after_a_failure_alone(laboratory: Laboratory) -> None:
    """A model may count its passes in an attribute, or make a buffer in its first one."""
    model, evaluation = laboratory.subject.model, laboratory.step("evaluation")

    def counts(counting: Any, _batch: Any) -> int:
        counting.base_model.model.passes = 1
        counting.base_model.model.register_buffer("cached", torch.ones(1))
        return 0

    def fails(counting: Any, _batch: Any) -> int:
        counting.base_model.model.passes = 2
        raise RuntimeError("planted")

    laboratory.container("evaluation", counts).facts(evaluation.key)
    assert laboratory.subject.model is model
    with pytest.raises(RuntimeError):
        laboratory.container("evaluation", fails).facts(evaluation.key)
    bare = laboratory.subject.model.base_model.model
    assert not hasattr(bare, "passes")
    assert not hasattr(bare, "cached")


@pytest.mark.parametrize("laboratory", ["tests.tiny:vit"], indirect=True)
def test_a_model_that_was_left_as_it_was_is_not_built_again(laboratory: Laboratory) -> None:
    model, container = laboratory.subject.model, laboratory.container()
    for step in laboratory.plan.measurements:
        container.facts(step.key)
    assert laboratory.subject.model is model


def test_a_model_that_cannot_be_built_again_as_it_was_is_left_to_a_fresh_worker(tmp_path: Path) -> None:
    """The factory returns one module for all time, and a measurement of a plugin spoils it and fails."""
    head = HEAD.replace("MODEL", "tests.run.spoiling:the_one")
    report = run(spec_in(tmp_path, "spoils: 1\nloss_drop: 0.01", head), plugins=[SPOILING], entry_points=False)
    alone = run(spec_in(tmp_path, "loss_drop: 0.01", head), entry_points=False)
    assert verdicts(report) == {"spoils": Verdict.ERROR, "loss_drop": Verdict.MET}
    assert result_of(report, "loss_drop").observed == result_of(alone, "loss_drop").observed
