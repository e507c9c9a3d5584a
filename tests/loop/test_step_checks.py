"""The checks on the steps of a watched loop, on recorded facts: their rates, and what each is made of."""

from __future__ import annotations

import math
from typing import Any

import pytest

from retspec.errors import Inconclusive, NoVerdict, SubjectError
from retspec.facts import WatchedOptimizer, WatchedScheduler
from tests.loop.asking import details, value
from tests.loop.records import ADAMW, DECAYED, LOOP, loop, optimizer, steps

# Rates --------------------------------------------------------------------------------------------


def test_a_group_is_idle_when_its_rate_is_zero_at_all_of_its_steps() -> None:
    assert value("idle_groups", LOOP) == 0
    assert value("idle_groups", loop(optimizers=(optimizer(rates=(0.0, 1e-6, 2e-6)),))) == 0
    idle = loop(optimizers=(optimizer(rates=(0.0,) * 3), ADAMW))
    assert value("idle_groups", idle) == 1
    assert details("idle_groups", idle)["idle"] == ["AdamW, group 0: 1 parameters, head.weight the first"]


@pytest.mark.parametrize("changes", [{"parameters": (), "rates": (0.0,) * 3}, {"rates": ()}], ids=["empty", "own rate"])
def test_a_group_without_parameters_or_without_a_rate_is_not_idle(changes: dict[str, Any]) -> None:
    assert value("idle_groups", loop(optimizers=(optimizer(**changes),))) == 0


@pytest.mark.parametrize(
    ("rates", "deviation"),
    [([1e-3], 0.0), ([1e-3, 1e-3], 0.1), ([2e-3, 9e-4], 0.5), ([0.0, 9e-4], 1e-3 / 9e-4)],
    ids=["the first", "a constant", "half of it", "from zero"],
)
def test_rates_are_held_against_as_many_as_are_expected(rates: list[float], deviation: float) -> None:
    assert value("lr_rtol", LOOP, rates=rates) == pytest.approx(deviation)


def test_the_group_is_chosen_by_its_index() -> None:
    other = WatchedOptimizer("AdamW", 100, (DECAYED, optimizer(rates=(1e-4,) * 3).groups[0]))
    assert value("lr_rtol", loop(optimizers=(other,)), rates=[1e-4] * 3, group=1) == 0
    with pytest.raises(SubjectError, match="AdamW has 2 groups, counted from 0, and no group 2"):
        value("lr_rtol", LOOP, rates=[1e-4], group=2)


def test_rates_that_cannot_be_compared_have_no_verdict() -> None:
    with pytest.raises(Inconclusive, match="4 rates are expected, and 3 steps were watched; raise"):
        value("lr_rtol", LOOP, rates=[1e-3] * 4)
    with pytest.raises(Inconclusive, match="sets its learning rate itself"):
        value("lr_rtol", loop(optimizers=(optimizer(rates=()),)), rates=[1e-3])
    with pytest.raises(SubjectError, match="the expected rates are all zero"):
        value("lr_rtol", LOOP, rates=[0.0])


@pytest.mark.parametrize(("taken", "ratio"), [(0, 0.0), (1, 0.5), (2, 1.0), (4, 2.0)])
def test_scheduler_steps_are_counted_between_the_first_step_and_the_last(taken: int, ratio: float) -> None:
    constant = (optimizer(rates=(1e-3,) * 3),)
    facts = loop(optimizers=constant, schedulers=(WatchedScheduler("LinearLR", 0, taken),))
    assert value("scheduler_steps", facts) == ratio
    assert ("note" in details("scheduler_steps", facts)) == (taken == 0)


def test_of_nested_schedulers_the_one_counts_that_steps_most() -> None:
    nested = (WatchedScheduler("LinearLR", 0, 1), WatchedScheduler("SequentialLR", 0, 2))
    assert details("scheduler_steps", loop(schedulers=nested))["scheduler"] == "SequentialLR"


def test_a_scheduler_that_changes_rates_and_counts_no_step_has_no_verdict() -> None:
    with pytest.raises(
        Inconclusive, match="the rates change, and CosineAnnealingWarmRestarts does not count its steps"
    ):
        value("scheduler_steps", loop(schedulers=(WatchedScheduler("CosineAnnealingWarmRestarts", 0, 0),)))


def test_the_scheduler_of_another_optimizer_does_not_count() -> None:
    facts = loop(optimizers=(ADAMW, WatchedOptimizer("SGD", 1, ())), schedulers=(WatchedScheduler("StepLR", 1, 2),))
    with pytest.raises(NoVerdict, match="AdamW has no scheduler"):
        value("scheduler_steps", facts)


# What a step is made of ---------------------------------------------------------------------------


def test_backward_passes_that_differ_have_no_verdict() -> None:
    assert value("accumulation", LOOP) == 2
    with pytest.raises(Inconclusive, match="the backward passes differ between steps: 2, 2, 1"):
        value("accumulation", loop(steps=steps({}, {}, {"backwards": 1})))


@pytest.mark.parametrize(("weights", "distance"), [((0.5, 0.5), 0), ((1.0, 1.0), 1), ((0.25, 0.25), 0.5)])
def test_the_weight_of_a_step_is_that_of_all_its_backward_passes(weights: tuple[float, ...], distance: float) -> None:
    facts = loop(steps=steps({}, {"weights": weights}))
    assert value("loss_weight_rtol", facts) == distance
    assert details("loss_weight_rtol", facts)["weight"] == sum(weights)


def test_a_weight_that_is_not_known_has_no_verdict() -> None:
    with pytest.raises(Inconclusive, match="cannot be read from its graph in 1 of 2 steps"):
        value("loss_weight_rtol", loop(steps=steps({}, {"weights": (0.5, None)})))


def test_two_losses_of_one_of_several_optimizers_may_be_meant() -> None:
    both = (ADAMW, WatchedOptimizer("Adam", 10, ()))
    assert value("loss_weight_rtol", loop(optimizers=both)) == 0
    with pytest.raises(Inconclusive, match="of 2 optimizers this one steps after 2 losses, of weight 2"):
        value("loss_weight_rtol", loop(optimizers=both, steps=steps({"weights": (1.0, 1.0)})))


def test_stale_gradients_of_any_optimizer_count_and_the_most_is_the_number() -> None:
    assert value("stale_gradients", LOOP) == 0
    both = (ADAMW, WatchedOptimizer("Adam", 10, ()))
    facts = loop(optimizers=both, steps=steps({}, {"optimizer": 1, "stale": 3}, {}, {"optimizer": 1, "stale": 2}))
    assert value("stale_gradients", facts) == 3
    found = details("stale_gradients", facts)
    assert (found["optimizer"], found["steps with some"]) == ("Adam", 2)


def test_steps_without_a_gradient_of_their_own_are_counted_and_the_first_is_named() -> None:
    assert value("steps_without_backward", LOOP) == 0
    facts = loop(steps=steps({}, {"fed": False, "backwards": 0}, {}, {"fed": False, "backwards": 0}))
    assert value("steps_without_backward", facts) == 2
    assert details("steps_without_backward", facts)["the first"] == "step 2"


def test_a_step_without_a_gradient_of_its_own_leaves_the_others_to_be_judged() -> None:
    facts = loop(steps=steps({}, {"fed": False, "backwards": 0, "weights": (), "norm_after_backward": None}, {}))
    assert value("accumulation", facts) == 2
    assert value("loss_weight_rtol", facts) == 0
    assert value("clip_factor", facts) == 0.25


def test_the_smallest_part_that_clipping_leaves_is_the_number() -> None:
    facts = loop(steps=steps({}, {"norm": 0.5, "norm_after_backward": 50.0}))
    assert value("clip_factor", facts) == pytest.approx(0.01)
    assert details("clip_factor", facts)["norm after backward"] == 50


@pytest.mark.parametrize("side", ["norm", "norm_after_backward"])
@pytest.mark.parametrize("unknown", [None, math.inf, math.nan])
def test_a_norm_that_is_not_known_or_not_finite_has_no_verdict(side: str, unknown: float | None) -> None:
    facts = loop(steps=steps({}, {side: unknown}))
    text = "the norm of the gradients is not finite or not known in 1 of 2 steps; see `nonfinite_gradients`"
    for name in ("clip_factor", *(["max_clipped_norm"] if side == "norm" else [])):
        with pytest.raises(Inconclusive, match=f"^{text}$"):
            value(name, facts)


def test_of_no_gradient_nothing_can_be_clipped() -> None:
    facts = loop(steps=steps({}, {"norm": 0.0, "norm_after_backward": 0.0}))
    with pytest.raises(Inconclusive, match=r"are zero after the last backward pass in 1 of 2 steps.*`dead_gradients`"):
        value("clip_factor", facts)
    assert value("max_clipped_norm", loop(steps=steps({"norm": 0.0}))) == 0


def test_the_largest_norm_that_is_applied_is_the_number() -> None:
    facts = loop(steps=steps({}, {"norm": 3.0, "norm_after_backward": 50.0}))
    assert value("max_clipped_norm", facts) == 3
    assert details("max_clipped_norm", facts)["norm after backward"] == 50


def test_averages_that_stand_still_are_counted_among_those_that_are_known() -> None:
    assert value("still_averages", LOOP) == 0
    assert value("still_averages", loop(still_averages=("AveragedModel",))) == 1
    assert details("still_averages", LOOP)["averages"] == ["AveragedModel"]
    with pytest.raises(Inconclusive, match="keeps no average of its weights"):
        value("still_averages", loop(averages=()))
