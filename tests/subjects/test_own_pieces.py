"""An optimizer, a scheduler, a step and a loss of the user's own are parts of the recipe, or are refused by name."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from msgspec.structs import replace

from retspec.checks.learning.overfit_steps import overfit_steps
from retspec.errors import Inconclusive, NoVerdict, SpecError, SubjectError
from retspec.facts import Overfitting
from retspec.measurements.gradients import accumulation, precision
from retspec.measurements.training import train
from retspec.prepare import prepare
from retspec.records import Recipe, Verdict
from retspec.results.provenance import subject_of
from retspec.running import run
from retspec.subjects.training.making import TrainerMaker
from tests.here import run_here
from tests.plugins.test_documentation import FUNCTIONS, RECIPE, blocks
from tests.run.tools import spec_in, verdicts
from tests.subjects.test_recipe import Net, batch, by_recipe, loaded, same

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.facts import GradientAgreement
    from retspec.records import Result

OWN = "tests.subjects.own_pieces:"
SAME = Recipe(lr=0.02, weight_decay=0.1)
"""What the healthy ones do."""
COSINE = {"name": "cosineannealinglr", "T_max": 4}
HEAD = """\
model: {factory: "tests.tiny_between:plain"}
data: {synthetic: {input_size: [3, 32, 32], batch_size: 6}}
run: {device: cpu}
"""
DECAYING = Recipe(lr=0.02, weight_decay=0.1, scheduler=COSINE)


@pytest.mark.parametrize(
    ("own", "built_in"),
    [
        ({"optimizer": "optimizer"}, SAME),
        ({"optimizer": "both"}, DECAYING),
        ({"optimizer": "optimizer", "scheduler": "scheduler"}, DECAYING),
        ({"loss": "loss"}, Recipe()),
        ({"loss": "loss_by_name"}, Recipe()),
        ({"loss": "criterion"}, Recipe()),
        ({"loss": "named"}, Recipe()),
        ({"step": "step"}, Recipe()),
        ({"step": "step_that_shows"}, Recipe()),
        ({"optimizer": "optimizer", "scheduler": "scheduler", "step": "step"}, DECAYING),
        ({"optimizer": "both", "loss": "loss"}, DECAYING),
    ],
)
@pytest.mark.parametrize("shared", [{}, {"accumulation": 2, "clip_norm": 0.1, "amp": "bfloat16"}])
def test_each_trains_as_the_built_in_with_the_same_settings(
    own: dict[str, str], built_in: Recipe, shared: dict[str, Any]
) -> None:
    recipe = Recipe(**{key: f"{OWN}{name}" for key, name in own.items()}, **shared)
    expected = by_recipe(Recipe(**{**vars(built_in), **shared}))
    assert same(by_recipe(recipe), expected)
    assert not same(by_recipe(Recipe(**{**vars(built_in), **shared, "lr": 0.03, "scheduler": None})), expected)


def test_a_scheduler_is_all_that_has_a_step() -> None:
    trainer = TrainerMaker(Recipe(lr=0.08, scheduler=f"{OWN}Halving")).on(Net(), batch())
    for _ in range(3):
        trainer.finite_backward()
        trainer.update()
    assert trainer.optimizers[0].param_groups[0]["lr"] == 0.01


class TwoHeads(Net):
    def forward(self, inputs: torch.Tensor) -> Any:
        logits = super().forward(inputs)
        return {"logits": logits, "auxiliary": logits[:, :1]}


def test_a_loss_gets_what_the_model_returned() -> None:
    loss = TrainerMaker(Recipe(loss=f"{OWN}loss_of_two_heads")).on(TwoHeads(), batch()).finite_backward()
    logits = Net()(batch().inputs)
    whole = torch.nn.functional.cross_entropy(logits, batch().targets) + logits[:, :1].square().mean()
    assert loss == float(whole.detach())


@pytest.mark.parametrize("key", ["step", "loss"])
def test_the_level_of_chance_of_a_loss_of_ones_own_is_not_known(key: str) -> None:
    trainer = TrainerMaker(Recipe(**{key: f"{OWN}{key}"})).on(Net(), batch())  # type: ignore[arg-type]
    trainer.finite_backward()
    assert trainer.chance_loss is None


def test_samples_that_are_right_under_a_loss_of_ones_own_are_not_counted_as_unlearnt() -> None:
    facts = Overfitting(samples=10, most_steps=100, learnt_at=None, accuracy=1.0, loss=0.3)
    assert overfit_steps.function(facts).value == 101
    assert overfit_steps.function(replace(facts, floor_known=False, accuracy=0.9)).value == 101
    assert overfit_steps.function(replace(facts, floor_known=False, learnt_at=7)).value == 7
    with pytest.raises(Inconclusive, match=r"whether a loss of your own can fall below 0[.]01 is not"):
        overfit_steps.function(replace(facts, floor_known=False))


def test_they_are_a_part_of_the_subject_without_a_rate(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, "loss_drop: 0.1", f"{HEAD}train: {{optimizer: 'a:b', step: 'a:c'}}")
    plan, _ = prepare(spec, entry_points=False)
    assert subject_of(plan.spec)["train"] == {"optimizer": "a:b", "step": "a:c"}


def half_frozen() -> Net:
    model = Net()
    model.body.requires_grad_(requires_grad=False)
    return model


@pytest.mark.parametrize(
    ("key", "name", "said"),
    [
        ("optimizer", "raises", "raises raised KeyError: 'lr' (own_pieces.py:"),
        ("optimizer", "nothing", "gave nothing, not an optimizer of torch"),
        ("optimizer", "a_class", "gave the class SGD, not an optimizer of torch"),
        ("optimizer", "step", "raised TypeError: step() missing 1 required positional argument: 'batch'"),
        ("optimizer", "optimiser", "has no callable 'optimiser'; did you mean 'optimizer'?"),
        ("optimizer", "NOT_CALLABLE", "NOT_CALLABLE is int, which cannot be called"),
        ("optimizer", "two_optimizers", "gave two optimizers, and the recipe has one"),
        ("optimizer", "lbfgs", "LBFGS of tests.subjects.own_pieces:lbfgs calls the training step itself"),
        ("optimizer", "sam", "step() of the optimizer of tests.subjects.own_pieces:sam raised AssertionError: SAM"),
        ("optimizer", "that_freezes", "changes which parameters train (body.weight)"),
        ("scheduler", "raises", "raises raised KeyError: 'lr' (own_pieces.py:"),
        ("scheduler", "nothing", "gave nothing, not a scheduler: it has no step()"),
        ("scheduler", "on_plateau", "needs metrics in step()"),
        ("scheduler", "of_another", "CosineAnnealingLR of tests.subjects.own_pieces:of_another has another optimizer"),
        ("scheduler", "Runs", "raised ZeroDivisionError: no epochs (own_pieces.py:"),
        ("loss", "raises", "raises raised KeyError: 'lr' (own_pieces.py:"),
        ("loss", "nothing", "gave nothing, not the loss as a tensor"),
        ("loss", "Named", "Named is a class; name an object of it, or a function"),
        ("loss", "number", "gave float, not the loss as a tensor"),
        ("loss", "unreduced", "gave a tensor of shape (6,), and a loss is a scalar; take its mean"),
        ("loss", "detached", "gave a loss that requires no gradient"),
        ("step", "raises", "raises raised KeyError: 'lr' (own_pieces.py:"),
        ("step", "nothing", "gave nothing, not the loss as a tensor"),
        ("step", "step_backward", "runs the backward pass by itself; return the loss"),
        ("step", "step_backward_unseen", "runs the backward pass by itself; return the loss"),
        ("step", "step_update", "takes an optimizer step by itself; return the loss"),
        ("step", "step_without_gradients", "gave a loss that requires no gradient"),
        ("step", "step_with_autocast", "computes with autocast bfloat16, and this needs none"),
        ("step", "step_without_loss", "gave a mapping without `loss`; it has los"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(key: str, name: str, said: str) -> None:
    with pytest.raises(SubjectError) as caught:
        train(Net(), batch(), TrainerMaker(Recipe(**{key: f"{OWN}{name}"})), lambda *_: None)  # type: ignore[arg-type]
    assert (caught.value.path, said in str(caught.value)) == (f"train.{key}", True), str(caught.value)


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(SubjectError, match="there is no module 'my_projet'") as caught:
        TrainerMaker(Recipe(step="my_projet.train:step")).on(Net(), batch())
    assert caught.value.path == "train.step"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("of_a_copy", "(head.weight); it holds a tensor of shape (3, 4) of no module, a tensor of shape (3,) of no"),
        (
            "of_what_is_frozen",
            "holds none of the 1 parameters that train (head.weight); it holds 'body.weight', ",
        ),
    ],
)
def test_an_optimizer_that_trains_nothing_of_the_model_is_named_with_what_it_holds(name: str, said: str) -> None:
    with pytest.raises(SubjectError) as caught:
        TrainerMaker(Recipe(optimizer=f"{OWN}{name}")).on(half_frozen(), batch())
    assert said in str(caught.value)


def test_an_optimizer_of_a_part_trains_that_part_on_fresh_gradients() -> None:
    facts = train(Net(), batch(), TrainerMaker(Recipe(optimizer=f"{OWN}of_the_head")), lambda *_: None)
    body, head = facts.gradients
    assert (body.moved, head.moved) == (False, True)
    assert max(norm or 0 for norm in body.norms) < 3 * (body.norms[0] or 0)  # they do not pile up


def test_two_schedulers_are_one_too_many() -> None:
    with pytest.raises(SubjectError, match="both gave a scheduler, too; remove `scheduler`") as caught:
        TrainerMaker(Recipe(optimizer=f"{OWN}both", scheduler=COSINE)).on(Net(), batch())
    assert caught.value.path == "train.scheduler"


def test_a_step_that_zeroes_gradients_is_seen_where_they_accumulate() -> None:
    recipe = Recipe(step=f"{OWN}step_zero_grad", accumulation=2)
    with pytest.raises(SubjectError, match="changes gradients by itself"):
        TrainerMaker(recipe).on(Net(), batch()).backward()


@pytest.mark.parametrize(("key", "name"), [("loss", "not_finite"), ("step", "raises")])
def test_nothing_stays_attached_to_torch(key: str, name: str) -> None:
    backward = torch.autograd.backward
    with pytest.raises(NoVerdict):
        TrainerMaker(Recipe(**{key: f"{OWN}{name}"})).on(Net(), batch()).finite_backward()  # type: ignore[arg-type]
    assert torch.autograd.backward is backward
    assert not torch.nn.modules.module._global_forward_pre_hooks
    Net()(batch().inputs).sum().backward()


def test_a_loss_that_is_not_finite_is_found_in_it() -> None:
    facts = train(Net(), batch(), TrainerMaker(Recipe(loss=f"{OWN}not_finite")), lambda *_: None)
    assert (facts.nonfinite_loss_at, facts.nonfinite_operation) == (0, "the loss function")


@pytest.mark.parametrize("lr", [1e-3, 0.5])
def test_a_rate_that_the_optimizer_decides_is_not_varied(tmp_path: Path, lr: float) -> None:
    recipe = loaded(tmp_path, f'{{optimizer: "{OWN}optimizer"}}')
    with pytest.raises(NoVerdict, match=f"lr {lr}, and `train.optimizer` decides it by tests.subjects.own_pieces:opt"):
        TrainerMaker(recipe).varied(steps=3, lr=lr)
    assert TrainerMaker(recipe).varied(steps=3, lr=recipe.lr).recipe.steps == 3


def test_a_step_with_its_own_autocast_is_compared_with_nothing() -> None:
    own = TrainerMaker(Recipe(step=f"{OWN}step_with_autocast", amp="bfloat16"))
    assert own.on(Net(), batch()).finite_backward() > 0
    with pytest.raises(NoVerdict, match="computes with autocast bfloat16, and this needs none"):
        precision.function(Net(), batch(), own)


@pytest.mark.parametrize(
    "compared",
    [partial(accumulation.function, made_training=None), precision.function],
    ids=["accumulation", "precision"],
)
def test_a_step_that_draws_numbers_is_compared_with_nothing(compared: Callable[..., GradientAgreement]) -> None:
    with pytest.raises(NoVerdict, match="draws random numbers"):
        compared(Net(), batch(), TrainerMaker(Recipe(step=f"{OWN}step_that_draws")))
    agreed = compared(Net(), batch(), TrainerMaker(Recipe(step=f"{OWN}step")))
    assert agreed == compared(Net(), batch(), TrainerMaker(Recipe()))


BUILT_IN = "train: {lr: 0.02, weight_decay: 0.1, scheduler: {name: cosineannealinglr, T_max: 4}, steps: 6}"
CHECKS = """\
loss_drop: 0.05
dead_gradients: 0
max_grad_norm: 100
determinism_atol: 0
grad_accumulation_rtol: 1e-4
amp_rtol: 1
input_matters: -1
overfit_loss: {limit: 10, with: {most_steps: 3}}
max_memory_estimate_gb: 1
max_step_gflops: 10
"""


def answers(results: dict[str, Result]) -> dict[str, Any]:
    assert {result.verdict for result in results.values()} == {Verdict.MET}, {r.reason for r in results.values()}
    return {name: result.observed.value for name, result in results.items()}


def test_every_measurement_that_trains_answers_the_same(tmp_path: Path) -> None:
    own = f"train: {{optimizer: '{OWN}optimizer', scheduler: '{OWN}scheduler', step: '{OWN}step_that_shows', steps: 6}}"
    found = answers(run_here(spec_in(tmp_path, CHECKS, f"{HEAD}{own}")))
    assert found == answers(run_here(spec_in(tmp_path, CHECKS, f"{HEAD}{BUILT_IN}")))


def test_the_functions_of_the_page_are_a_training(tmp_path: Path) -> None:
    (source,) = [text for text in blocks(RECIPE, "python") if text.startswith(FUNCTIONS)]
    (written,) = [text for text in blocks(RECIPE, "yaml") if "my_project" in text]
    (tmp_path / "my_project.py").write_text(source)
    checks = "loss_drop: 0.1\ndead_gradients: 0\ngrad_accumulation_rtol: 0.05\noverfit_accuracy: 1"
    report = run(spec_in(tmp_path, checks, f"{HEAD}{written}"), entry_points=False)
    assert {*verdicts(report).values()} == {Verdict.MET}, [result.reason for result in report.results]


UNDECIDED = {
    "initial_loss_rtol: 0.2": "this loss has no known chance level",
    "overfit_accuracy: 0.5": "the training does not show its logits",
    "loss_drop: {limit: 0.1, with: {lr: 1e-3}}": "lr 0.001, and `train.optimizer` decides it by tests.subjects",
    "max_memory_estimate_gb: 1": "on tensors without data fails: DataDependentOutputException",
}


@pytest.mark.parametrize("check", UNDECIDED)
def test_what_these_leave_open_gets_no_verdict(tmp_path: Path, check: str) -> None:
    own = f"train: {{optimizer: '{OWN}optimizer', step: '{OWN}step_that_reads', steps: 3}}"
    (result,) = run_here(spec_in(tmp_path, check, f"{HEAD}{own}")).values()
    assert not result.verdict.is_decided
    assert UNDECIDED[check] in result.reason


def test_a_failure_is_shown_as_that_of_the_user_s_code(tmp_path: Path) -> None:
    (result,) = run_here(spec_in(tmp_path, "loss_drop: 0.1", f"{HEAD}train: {{optimizer: '{OWN}raises'}}")).values()
    assert re.fullmatch(
        r".*spec\.yaml:6:20: tests\.subjects\.own_pieces:raises raised KeyError: 'lr' \(own_pieces\.py:\d+\)",
        result.reason,
    )
    assert result.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{optimizer: my-project:build}", "'my-project:build' does not fit; write it like my_project.train:optimizer"),
        ("{optimizer: {name: 'a:b'}}", "train.optimizer.name: expected one of adadelta"),
        ("{scheduler: cosineannealinglr}", "train.scheduler: expected a mapping; found the text 'cosineannealinglr'"),
        (
            "{scheduler: 'a:'}",
            "write it like my_project.train:scheduler (your own, as package.module:callable(opt",
        ),
        ("{step: 20}", "train.step: expected text, such as my_project.train:step; found 20; did you mean 'steps'?"),
        ("{step: forward}", "train.step: the text 'forward' does not fit; write it like my_project.train:step"),
        ("{optimizer: 'a:b', lr: 1}", ":4:27: train.lr says nothing beside `optimizer: a:b`, which decides it"),
        ("{optimizer: 'a:b', groups: [{match: [x]}]}", "train.groups says nothing beside `optimizer: a:b`"),
        ("{optimizer: 'a:b', weight_decay: 1}", "train.weight_decay says nothing beside `optimizer: a:b`"),
        ("{step: 'a:b', loss: 'a:c'}", "train.loss says nothing beside `step: a:b`"),
        ("{step: 'a:b', class_weights: [1]}", "train.class_weights says nothing beside `step: a:b`"),
        ("{loss: 'a:b', label_smoothing: 0.1}", "train.label_smoothing goes with the loss cross_entropy"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        loaded(tmp_path, written)
    assert said in str(caught.value)
