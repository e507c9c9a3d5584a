"""What a recipe says is what a loop written by hand does, bit by bit."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from retspec.errors import SpecError, SubjectError
from retspec.measurements.training import train
from retspec.prepare import prepare
from retspec.records import OPTIMIZERS, REFUSED_OPTIMIZERS, SCHEDULERS, ParameterGroup, Recipe, Verdict
from retspec.running import run
from retspec.subjects.data.batch import Batch
from retspec.subjects.training.making import TrainerMaker
from retspec.subjects.training.optimizers import make_optimizer, make_scheduler
from tests import tiny, tiny_between
from tests.here import run_here
from tests.run.tools import spec_in, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor
    from torch.optim import Optimizer

STEPS = 5


class Net(nn.Module):
    """Matrices alone, as Muon needs them, so that all optimizers can be compared on it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(12, 8, bias=False)
        self.head = nn.Linear(8, 3, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.body(inputs.flatten(1)).tanh())
        return outputs


def batch() -> Batch:
    torch.manual_seed(1)
    return Batch(torch.randn(6, 3, 2, 2), torch.tensor([0, 1, 2, 0, 0, 1]))


def by_recipe(recipe: Recipe) -> tuple[list[float], list[Tensor]]:
    model = Net()
    trainer = TrainerMaker(recipe).on(model, batch())
    losses = []
    for _ in range(STEPS):
        losses.append(trainer.finite_backward())
        assert trainer.update()
    return losses, [*model.parameters()]


def by_hand(
    make: Callable[[Net], Optimizer],
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
    clip: float | None = None,
    schedule: Callable[[Optimizer], Any] | None = None,
) -> tuple[list[float], list[Tensor]]:
    model, data = Net(), batch()
    optimizer = make(model)
    scheduler = schedule(optimizer) if schedule else None
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(model(data.inputs), data.targets)
        value.backward()  # type: ignore[no-untyped-call]
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(value.item())
    return losses, [*model.parameters()]


def same(one: tuple[list[float], list[Tensor]], other: tuple[list[float], list[Tensor]]) -> bool:
    return one[0] == other[0] and all(a.equal(b) for a, b in zip(one[1], other[1], strict=True))


CLASSES = {name.lower(): kind for name, kind in vars(torch.optim).items() if isinstance(kind, type)}


def test_every_optimizer_of_torch_is_offered_or_refused_with_a_reason() -> None:
    known = {*OPTIMIZERS, *REFUSED_OPTIMIZERS} - {"sparse_adam"}
    assert set(CLASSES) - {"optimizer"} <= known <= set(CLASSES) | {"muon"}  # muon is new in torch 2.9
    schedulers = {name.lower() for name in vars(torch.optim.lr_scheduler)}
    assert set(SCHEDULERS) <= schedulers


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) & set(CLASSES)))
def test_each_optimizer_takes_the_steps_of_torch(name: str) -> None:
    decays = name != "rprop"
    hand = by_hand(
        lambda model: CLASSES[name](model.parameters(), lr=0.02, **({"weight_decay": 0.1} if decays else {}))
    )
    assert same(by_recipe(Recipe(optimizer=name, lr=0.02, weight_decay=0.1 if decays else 0.0)), hand)


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ({"name": "rmsprop", "alpha": 0.9, "momentum": 0.5}, {"alpha": 0.9, "momentum": 0.5}),
        ({"name": "adamw", "betas": [0.8, 0.9], "amsgrad": True}, {"betas": (0.8, 0.9), "amsgrad": True}),
        ({"name": "sgd", "momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "nesterov": True}),
    ],
)
def test_arguments_reach_the_optimizer(given: dict[str, Any], arguments: dict[str, Any]) -> None:
    arguments = {"weight_decay": 0.0, **arguments}
    hand = by_hand(lambda model: CLASSES[given["name"]](model.parameters(), lr=0.02, **arguments))
    assert same(by_recipe(Recipe(optimizer=given, lr=0.02)), hand)
    assert not same(by_recipe(Recipe(optimizer=given["name"], lr=0.02)), hand)


def test_each_parameter_is_in_the_first_group_that_it_matches_or_in_none() -> None:
    groups = [ParameterGroup(match=["head"], lr=0.1, weight_decay=0.0), ParameterGroup(match=["weight"], lr=0.03)]
    recipe = Recipe(optimizer="sgd", lr=9.0, weight_decay=0.5, groups=groups)

    def make(model: Net) -> Optimizer:
        return torch.optim.SGD(
            [
                {"params": [model.head.weight], "lr": 0.1, "weight_decay": 0.0},
                {"params": [model.body.weight], "lr": 0.03},
            ],
            weight_decay=0.5,
        )

    assert same(by_recipe(recipe), by_hand(make))
    found = make_optimizer(Net().named_parameters(), replace(recipe, groups=groups[:1])).param_groups
    assert [(group["lr"], len(group["params"])) for group in found] == [(9.0, 1), (0.1, 1)]


@pytest.mark.parametrize(
    ("given", "schedule"),
    [
        (
            {"name": "cosineannealinglr", "T_max": 4},
            lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4),
        ),
        (
            {"name": "linearlr", "start_factor": 0.1, "total_iters": 3},
            lambda optimizer: torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=3),
        ),
    ],
)
def test_the_scheduler_steps_once_per_update(given: dict[str, Any], schedule: Callable[[Optimizer], Any]) -> None:
    hand = by_hand(lambda model: torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.0), schedule=schedule)
    assert same(by_recipe(Recipe(lr=0.02, scheduler=given)), hand)
    assert not same(by_recipe(Recipe(lr=0.02)), hand)


def test_a_step_that_the_loss_scaler_skips_moves_no_scheduler() -> None:
    recipe = Recipe(amp="float16", scheduler={"name": "steplr", "step_size": 1, "gamma": 0.5})
    trainer = TrainerMaker(recipe).on(tiny_between.loud(), Batch(*tiny.batch()))
    updated = []
    for _ in range(3):
        trainer.finite_backward()
        updated.append(trainer.update())
    assert not all(updated)
    assert trainer.optimizers[0].param_groups[0]["lr"] == 1e-3 * 0.5 ** sum(updated)


def test_gradients_are_clipped_in_the_update_after_they_are_measured() -> None:
    recipe = Recipe(optimizer="sgd", lr=0.5, clip_norm=0.01)
    hand = by_hand(lambda model: torch.optim.SGD(model.parameters(), lr=0.5), clip=0.01)
    assert same(by_recipe(recipe), hand)
    facts = train(Net(), batch(), TrainerMaker(replace(recipe, steps=1)), lambda *_: None)
    assert sum((gradient.norms[0] or 0.0) ** 2 for gradient in facts.gradients) > 0.1**2


WEIGHTS = [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("keys", "arguments"),
    [
        ({"label_smoothing": 0.1}, {"label_smoothing": 0.1}),
        ({"class_weights": WEIGHTS}, {"weight": torch.tensor(WEIGHTS)}),
        ({"class_weights": WEIGHTS, "label_smoothing": 0.1}, {"weight": torch.tensor(WEIGHTS), "label_smoothing": 0.1}),
    ],
)
def test_the_loss_is_that_of_torch_and_its_level_of_chance_that_of_equal_logits(
    keys: dict[str, Any], arguments: dict[str, Any]
) -> None:
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits, targets, **arguments)

    hand = by_hand(lambda model: torch.optim.SGD(model.parameters(), lr=0.5), loss)
    recipe = Recipe(optimizer="sgd", lr=0.5, **keys)
    assert same(by_recipe(recipe), hand)
    trainer = TrainerMaker(recipe).on(Net(), batch())
    trainer.finite_backward()
    assert trainer.chance_loss == pytest.approx(float(loss(torch.zeros(6, 3), batch().targets)), rel=1e-6)
    if len(keys) == 1:
        assert trainer.chance_loss == log(3)


def test_micro_batches_weigh_what_their_classes_weigh() -> None:
    """Torch divides by the weights of the targets, so that a plain mean over micro-batches would be another loss."""
    whole, divided = Net(), Net()
    losses = []
    for model, parts in ((whole, 1), (divided, 3)):
        trainer = TrainerMaker(Recipe(class_weights=WEIGHTS, accumulation=parts)).on(model, batch())
        losses.append(trainer.finite_backward())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for one, other in zip(whole.parameters(), divided.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_micro_batch_whose_classes_weigh_nothing_adds_nothing() -> None:
    """Alone, torch would divide 0 by 0 there."""
    losses = []
    for parts in (1, 6):
        trainer = TrainerMaker(Recipe(class_weights=[0.0, 1.0, 2.0], accumulation=parts)).on(Net(), batch())
        losses.append(trainer.finite_backward())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def faults() -> Iterator[tuple[Recipe, str, str]]:
    yield Recipe(optimizer={"name": "rmsprop", "alfa": 1}), "train.optimizer.alfa", "did you mean 'alpha'?"
    yield Recipe(optimizer={"name": "adam", "betas": [2, 0]}), "train.optimizer", "adam refuses its arguments"
    yield Recipe(optimizer="rprop", weight_decay=0.1), "train.weight_decay", "rprop has no weight decay"
    yield Recipe(groups=[ParameterGroup(match=["heat"])]), "train.groups.0.match", "did you mean 'head'?"
    yield Recipe(groups=[ParameterGroup(match=["("])]), "train.groups.0.match", "is not a regular expression"
    yield Recipe(scheduler={"name": "steplr", "stepsize": 1}), "train.scheduler.stepsize", "did you mean 'step_size'?"
    yield Recipe(scheduler={"name": "steplr"}), "train.scheduler", "step_size"
    yield Recipe(class_weights=[0.0, 0.0, 0.0]), "train.class_weights", "of a class that weighs 0"
    yield Recipe(class_weights=[1.0, 2.0]), "train.class_weights", "2 class weights, and the model has 3 classes"


@pytest.mark.parametrize(("recipe", "place", "said"), [*faults()])
def test_what_torch_does_not_take_is_told_with_its_place(recipe: Recipe, place: str, said: str) -> None:
    with pytest.raises(SubjectError) as caught:
        TrainerMaker(recipe).on(Net(), batch()).finite_backward()
    assert (caught.value.path, said in str(caught.value)) == (place, True), str(caught.value)


def test_no_scheduler_is_a_constant_rate() -> None:
    assert make_scheduler(make_optimizer(Net().named_parameters(), Recipe()), Recipe()) is None


def loaded(folder: Path, written: str) -> Recipe:
    head = f'model: {{factory: "tests.tiny_between:plain"}}\ntrain: {written}'
    return prepare(spec_in(folder, "loss_drop: 0.1", head), entry_points=False)[0].spec.train


def test_a_rate_beside_the_name_of_the_optimizer_is_that_of_the_training(tmp_path: Path) -> None:
    beside = loaded(tmp_path, "{optimizer: {name: rmsprop, lr: 0.02, alpha: 0.9}}")
    assert beside == Recipe(optimizer={"name": "rmsprop", "alpha": 0.9}, lr=0.02)
    assert loaded(tmp_path, "{optimizer: {name: adamw, lr: 0.02}}") == Recipe(lr=0.02)  # the same subject


EVERYTHING = """\
model: {factory: "tests.tiny_between:plain"}
data: {synthetic: {input_size: [3, 32, 32], batch_size: 6}}
run: {device: cpu}
train:
  optimizer: {name: adamw, lr: 0.01, betas: [0.8, 0.99]}
  groups: [{match: [bias], weight_decay: 0}]
  weight_decay: 0.1
  scheduler: {name: cosineannealinglr, T_max: 20}
  clip_norm: 1.0
  label_smoothing: 0.1
  class_weights: [1, 2, 1]
  accumulation: 2
"""


def test_a_run_trains_and_foresees_as_the_whole_recipe_says(tmp_path: Path) -> None:
    checks = "loss_drop: 0.05\ndead_gradients: 0\ninitial_loss_rtol: 0.5\ngrad_accumulation_rtol: 1e-4\n"
    checks += "determinism_atol: 0\nmax_memory_estimate_gb: 1\n"
    report = run(spec_in(tmp_path, checks, EVERYTHING), entry_points=False)
    assert {*verdicts(report).values()} == {Verdict.MET}, [result.reason for result in report.results]


def test_a_mistake_that_only_torch_sees_names_its_place_in_the_spec(tmp_path: Path) -> None:
    head = EVERYTHING.replace("betas:", "beta:")
    (undecided,) = run_here(spec_in(tmp_path, "loss_drop: 0.05", head)).values()
    assert undecided.verdict is Verdict.ERROR
    assert "did you mean 'betas'?" in undecided.reason
    assert "spec.yaml:7:" in undecided.reason


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{optimizer: adamm}", "found the text 'adamm'; did you mean 'adam'?"),
        ("{optimizer: lbfgs}", "'lbfgs' cannot be used here: it calls the training step several times per update"),
        ("{optimizer: {name: sparse_adam}}", "cannot be used here: it supports only sparse gradients"),
        ("{optimizer: {lr: 1}}", "train.optimizer needs the key 'name'"),
        ("{optimizer: {name: sgd, lr: -1}}", "train.optimizer.lr: -1 is out of range"),
        ("{optimizer: {name: sgd, lr: 1}, lr: 1}", "train.lr is given twice"),
        ("{optimizer: 3}", "train.optimizer: expected"),
        ("{groups: [{lr: 1}]}", "train.groups.0 needs the key 'match'"),
        ("{groups: [{match: []}]}", "train.groups.0.match is empty"),
        ("{scheduler: {name: cosine}}", "train.scheduler.name: expected"),
        ("{scheduler: {T_max: 3}}", "train.scheduler needs the key 'name'"),
        ("{clip_norm: 0}", "train.clip_norm: 0 is out of range"),
        ("{label_smoothing: 1}", "train.label_smoothing: 1 is out of range"),
        ("{class_weights: [-1]}", "train.class_weights.0: -1 is out of range"),
        ("{label_smoothing: 0.1, loss: bce_with_logits}", "train.label_smoothing goes with the loss cross_entropy"),
    ],
)
def test_a_mistake_in_the_recipe_is_told_before_anything_runs(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        loaded(tmp_path, written)
    assert said in str(caught.value)
