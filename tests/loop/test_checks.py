"""The checks on a watched loop, on recorded facts: what the number is made of, and when there is none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from retspec.errors import Inconclusive, NoVerdict, SubjectError
from retspec.facts import Loop, Owners, WatchedCriterion, WatchedOptimizer, WatchedScheduler
from retspec.measurements.data_wait import watched_wait
from retspec.plugins.catalog import gather
from tests.loop.records import ADAMW, DECAYED, LOOP, loop, optimizer, steps

CHECKS = {
    name: check
    for name, check in gather(entry_points=False).checks.items()
    if check.measurements in {("loop",), ("owners",)}
}
ARGUMENTS: dict[str, dict[str, Any]] = {"lr_rtol": {"rates": [1e-3]}}
HALF_LINE = loop(optimizers=(), steps=(), ending="it raised KeyError: 'lr' (train.py:7)")


def value(name: str, facts: Loop, **arguments: Any) -> Any:
    return observed(name, facts, **arguments).value


def details(name: str, facts: Loop, **arguments: Any) -> Any:
    return observed(name, facts, **arguments).details


def observed(name: str, facts: Loop, **arguments: Any) -> Any:
    read = Owners.seen_in(facts) if CHECKS[name].measurements == ("owners",) else facts
    return CHECKS[name](read, **arguments)


@pytest.mark.parametrize("name", CHECKS)
def test_a_training_that_took_no_step_has_no_verdict_and_says_why(name: str) -> None:
    with pytest.raises(NoVerdict, match=r"python train[.]py took no optimizer step: it raised KeyError: 'lr'"):
        observed(name, HALF_LINE, **ARGUMENTS.get(name, {}))


@pytest.mark.parametrize("name", CHECKS)
def test_details_say_why_fewer_steps_were_watched_than_asked_for(name: str) -> None:
    short = details(name, loop(requested=9, ending="it ended by itself"), **ARGUMENTS.get(name, {}))
    assert (short["steps"], short["requested"], short["ended"]) == (3, 9, "it ended by itself")
    assert "ended" not in details(name, LOOP, **ARGUMENTS.get(name, {}))


@pytest.mark.parametrize("name", ["idle_groups", "scheduler_steps", "stale_gradients", "repeated_batches"])
def test_a_single_step_is_compared_with_none(name: str) -> None:
    with pytest.raises(Inconclusive, match="1 step is too few to compare one with the step before; raise"):
        CHECKS[name](loop(steps=LOOP.steps[:1]))


@pytest.mark.parametrize(
    "name",
    ["scheduler_steps", "accumulation", "loss_weight_rtol", "stale_gradients", "clip_factor", "max_clipped_norm"],
)
@pytest.mark.parametrize(("foreign", "culprit"), [((), "steps_without_backward"), (("a tensor",), "foreign_params")])
def test_steps_without_a_gradient_have_nothing_to_judge(name: str, foreign: tuple[str, ...], culprit: str) -> None:
    with pytest.raises(NoVerdict, match=f"no step of AdamW had a gradient; see `{culprit}`"):
        CHECKS[name](loop(steps=steps(*[{"fed": False}] * 3), foreign=foreign))


# Who owns what ------------------------------------------------------------------------------------


def test_parameters_without_an_owner_are_counted_and_named() -> None:
    assert value("unowned_params", LOOP) == 0
    facts = loop(unowned=("head.weight", "head.bias"))
    assert value("unowned_params", facts) == 2
    assert details("unowned_params", facts)["unowned"] == ["head.weight", "head.bias"]


def test_parameters_of_another_module_are_counted_and_named() -> None:
    assert value("foreign_params", LOOP) == 0
    assert value("foreign_params", loop(foreign=("AdamW: a tensor of shape (5,)",))) == 1


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


# What enters model and criterion ------------------------------------------------------------------


def test_modules_in_eval_mode_count_unless_they_are_allowed() -> None:
    facts = loop(eval_leaves=("stem.1", "body.drop"))
    assert value("eval_mode_leaves", facts) == 2
    assert value("eval_mode_leaves", facts, allow=[r"stem\."]) == 1
    assert details("eval_mode_leaves", facts, allow=[r"stem\."])["in eval mode"] == ["body.drop"]


def test_validations_in_train_mode_count_where_there_are_validations() -> None:
    assert value("train_mode_validations", LOOP) == 0
    assert value("train_mode_validations", loop(evaluations=3, train_mode_evaluations=2)) == 2
    with pytest.raises(Inconclusive, match="no forward pass without gradients was seen"):
        value("train_mode_validations", loop(evaluations=0))


def test_a_pass_without_gradients_may_feed_another_network() -> None:
    both = (ADAMW, WatchedOptimizer("Adam", 10, ()))
    assert value("train_mode_validations", loop(optimizers=both)) == 0
    with pytest.raises(Inconclusive, match="with 2 optimizers they may feed another network"):
        value("train_mode_validations", loop(optimizers=both, train_mode_evaluations=1))


@pytest.mark.parametrize(
    "criterion", [None, WatchedCriterion("mse_loss", "mean", "", None)], ids=["unknown", "another one"]
)
def test_without_cross_entropy_nothing_is_known_of_its_input(criterion: WatchedCriterion | None) -> None:
    assert value("criterion_input", LOOP) == "logits"
    with pytest.raises(Inconclusive, match="no cross-entropy was called"):
        value("criterion_input", loop(criterion=criterion))


@pytest.mark.parametrize(
    ("parameters", "number", "note"),
    [
        (("head.weight",), 0, False),
        (("head.weight", "norm.weight"), 1, True),
        (("head.weight", "norm.weight", "norm.bias", "head.bias"), 3, False),
        (("head.weight", "head.bias"), 1, False),
    ],
    ids=["none", "norm scales", "all", "biases"],
)
def test_decayed_vectors_are_told_apart(parameters: tuple[str, ...], number: int, *, note: bool) -> None:
    facts = loop(optimizers=(optimizer(parameters=parameters),))
    assert value("decayed_vectors", facts) == number
    assert ("note" in details("decayed_vectors", facts)) == note


def test_the_type_that_the_model_computes_in_is_read_inside_it() -> None:
    assert value("autocast_dtype", LOOP) == "bfloat16"
    assert details("autocast_dtype", LOOP)["device"] == "cuda"
    with pytest.raises(Inconclusive, match="no module with weights of its own"):
        value("autocast_dtype", loop(autocast_dtype=""))


def test_batches_that_come_again_count_where_a_loader_gave_them() -> None:
    assert value("repeated_batches", LOOP) == 0
    assert value("repeated_batches", loop(from_loader=False)) == 0
    assert value("repeated_batches", loop(repeated=4, distinct=2)) == 4
    assert value("repeated_batches", loop(repeated=5, distinct=1)) == 5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"one_batch": True}, "`train.one_batch` gives the same batch"),
        ({"batches": 0, "distinct": 0}, "no batch was seen"),
        ({"repeated": 5, "distinct": 1, "from_loader": False}, "all steps had the same batch, and no DataLoader"),
        ({"repeated": 3, "distinct": 3, "from_loader": False}, "3 batches came again, and no DataLoader"),
    ],
    ids=["on purpose", "none", "one by hand", "several by hand"],
)
def test_batches_that_may_be_meant_to_repeat_have_no_verdict(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Inconclusive, match=reason):
        value("repeated_batches", loop(**changes))


# Waiting ------------------------------------------------------------------------------------------


def test_the_waiting_of_a_loop_is_that_of_its_steps_after_the_first() -> None:
    first, later = {"seconds": 9.0, "waited": 8.0}, {"seconds": 0.1, "waited": 0.02}
    wait = watched_wait(loop(steps=steps(first, *[later] * 14), workers=2))
    assert (wait.workers, len(wait.waited)) == (2, 7)
    assert wait.waited == pytest.approx([0.04] * 7)
    assert wait.trained == pytest.approx([0.16] * 7)


def test_the_steps_of_a_second_optimizer_belong_to_those_of_the_first() -> None:
    both = (ADAMW, WatchedOptimizer("Adam", 10, ()))
    pair = [{"optimizer": 1, "seconds": 0.3, "waited": 0.1}, {"seconds": 0.2, "waited": 0.0}]
    wait = watched_wait(loop(optimizers=both, steps=steps(*pair * 8)))
    assert wait.waited == pytest.approx([0.1] * 7)
    assert wait.trained == pytest.approx([0.4] * 7)


def test_waiting_that_cannot_be_timed_has_no_verdict() -> None:
    with pytest.raises(Inconclusive, match="2 steps after the first are too few"):
        watched_wait(LOOP)
    with pytest.raises(Inconclusive, match="no DataLoader gave the batches"):
        watched_wait(loop(from_loader=False))
    with pytest.raises(NoVerdict, match="took no optimizer step"):
        watched_wait(HALF_LINE)
