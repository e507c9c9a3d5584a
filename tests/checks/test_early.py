"""A training that ends early: at which step, what its facts say then, and what the checks make of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from retspec.checks.learning.input_matters import input_matters
from retspec.checks.learning.loss_drop import loss_drop
from retspec.checks.learning.min_throughput import min_throughput
from retspec.checks.learning.nonfinite_steps import nonfinite_steps
from retspec.errors import Inconclusive
from retspec.facts import Training
from retspec.facts.training import drop
from retspec.measurements.training import fewest_passes, train, training_passes
from retspec.records import Passes, Recipe
from retspec.subjects.data.batch import Batch
from retspec.subjects.training.making import TrainerMaker
from tests import tiny, tiny_adapters, tiny_between

SHARE = 0.5


def fitted(model: torch.nn.Module | None = None, **keys: Any) -> tuple[Training, int]:
    """Train on six images; return the facts, and the steps that were begun."""
    torch.manual_seed(0)
    begun: list[int] = []
    recipe = Recipe(**{"lr": 3e-3, "stop_at_drop": SHARE, **keys})
    made = TrainerMaker(recipe)
    shown = train(model or tiny.vit(), Batch(*tiny.batch()), made, lambda step, _total: begun.append(step))
    return shown, len(begun)


@pytest.fixture(scope="module")
def whole() -> Training:
    return fitted(stop_at_drop=None)[0]


def test_it_ends_at_the_first_step_at_which_the_loss_has_fallen_by_that_share(whole: Training) -> None:
    early, begun = fitted(min_steps=3)
    assert 3 < len(early.losses) == begun < early.steps == len(whole.losses)
    assert early.losses == whole.losses[:begun]
    assert drop(early.losses) >= SHARE > drop(early.losses[:-1])
    assert loss_drop(early).value == drop(early.losses)
    assert (
        loss_drop(early).details.items() >= {"steps": begun, "asked for": 20, "ended by": "train.stop_at_drop"}.items()
    )
    assert "ended by" not in loss_drop(whole).details


def test_it_takes_the_fewest_steps_however_fast_the_loss_falls() -> None:
    early, begun = fitted(stop_at_drop=0.01, min_steps=7)
    assert begun == len(early.losses) == 7
    assert {len(gradient.norms) for gradient in early.gradients} == {7}


def test_steps_that_the_loss_scaler_skips_do_not_count() -> None:
    early, begun = fitted(tiny_between.loud(), lr=1e-3, amp="float16", stop_at_drop=1e-6, min_steps=3)
    assert early.skipped
    assert early.ended_early
    assert begun - len(early.skipped) >= 3


@pytest.mark.parametrize(
    "train", [{"lr": 0.0}, {"loss": "tests.tiny_losses:wrong_sign", "stop_at_drop": 0.01}], ids=str
)
def test_a_loss_that_does_not_fall_or_is_not_positive_ends_nothing(train: dict[str, Any]) -> None:
    training, begun = fitted(min_steps=3, **train)
    assert begun == len(training.losses) == training.steps
    assert not training.ended_early


def test_the_last_step_is_not_early() -> None:
    training, _ = fitted(steps=7, stop_at_drop=0.01, min_steps=7)
    assert not training.ended_early


def test_a_loss_that_is_not_finite_is_another_end() -> None:
    broken, _ = fitted(tiny_adapters.nan_weight())
    early, _ = fitted()
    assert (broken.nonfinite_loss_at, broken.ended_early) == (0, False)
    assert (early.nonfinite_loss_at, early.ended_early) == (None, True)
    assert (nonfinite_steps(broken).value, nonfinite_steps(early).value) == (20, 0)


def test_too_few_steps_to_say_anything_are_the_fault_of_what_ended_it() -> None:
    early, _ = fitted()
    with pytest.raises(Inconclusive, match=r"raise `train\.min_steps`"):
        early.finite_losses(len(early.losses) + 1)
    with pytest.raises(Inconclusive, match=r"raise `train\.min_steps`"):
        min_throughput(early, warmup=len(early.losses))


@pytest.mark.parametrize(
    ("keys", "steps", "fewest"),
    [
        ({}, 20, 40),
        ({"stop_at_drop": 0.5}, 20, 10),
        ({"stop_at_drop": 0.5, "min_steps": 3}, 20, 6),
        ({"stop_at_drop": 0.5}, 4, 8),
    ],
)
def test_the_passes_lie_between_those_of_the_fewest_and_of_all_steps(
    keys: dict[str, Any], steps: int, fewest: int
) -> None:
    recipe = Recipe(accumulation=2, **keys)
    assert fewest_passes(recipe, steps=steps, lr=1e-3) == Passes(fewest, fewest)
    assert training_passes(recipe, steps=steps, lr=1e-3) == Passes(2 * steps, 2 * steps)


# Labels that can be learnt without looking ----------------------------------------------------------


def curve(*losses: float, steps: int = 20) -> Training:
    return Training(
        steps=steps,
        losses=losses,
        nonfinite_loss_at=None,
        nonfinite_operation="",
        gradients=(),
        drifted=(),
        chance_loss=None,
        seconds=(),
        batch_size=4,
        skipped=None,
    )


def test_what_labels_alone_get_as_far_as_was_asked_for_needs_no_input() -> None:
    """How far the last steps overshot is chance: it makes no gap in favour of the inputs."""
    overshot = input_matters(curve(1.0, 0.1), curve(1.0, 0.5))
    assert (overshot.value, overshot.details["steps with inputs zeroed"]) == (0.0, 2)
    assert input_matters(curve(1.0, 0.5), curve(1.0, 0.1)).value == pytest.approx(-0.4)


def test_a_batch_that_is_learnt_early_is_held_against_labels_that_had_every_step() -> None:
    blank = curve(1.0, *[0.8] * 19)
    assert input_matters(curve(1.0, 0.4), blank).value == pytest.approx(0.4)
