"""The checks on a watched loop, on recorded facts: what the number is made of, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest

from retspec.errors import Inconclusive, NoVerdict
from retspec.facts import WatchedCriterion, WatchedOptimizer
from retspec.measurements.data_wait import watched_wait
from tests.loop.asking import ARGUMENTS, CHECKS, details, observed, value
from tests.loop.records import ADAMW, LOOP, loop, optimizer, steps

HALF_LINE = loop(optimizers=(), steps=(), ending="it raised KeyError: 'lr' (train.py:7)")


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
