"""The page of `retspec watch`, from recorded facts: what no short script shows."""

from __future__ import annotations

from typing import Any

import pytest

from retspec.cli.watched.facts import Seen, lines
from retspec.cli.watched.page import page
from retspec.facts import Group, Parameter, Parameters
from retspec.facts.loop import (
    Loop,
    WatchedBatch,
    WatchedCriterion,
    WatchedGroup,
    WatchedOptimizer,
    WatchedScheduler,
    WatchedStep,
)


def _step(**changes: Any) -> WatchedStep:
    facts: dict[str, Any] = {
        "optimizer": 0,
        "backwards": 2,
        "fed": True,
        "stale": 0,
        "losses": (0.8, 0.7),
        "weights": (0.5, 0.5),
        "norm_after_backward": 4.0,
        "norm": 1.0,
        "seconds": 0.5,
        "waited": 0.1,
    }
    return WatchedStep(**facts | changes)


def _loop(**changes: Any) -> Loop:
    groups = (WatchedGroup(("a.weight",), 0.05, (1e-4, 2e-4)), WatchedGroup(("a.bias", "b"), 0.0, ()))
    facts: dict[str, Any] = {
        "command": "python train.py",
        "requested": 2,
        "ending": "",
        "model": "Net",
        "optimizers": (WatchedOptimizer("AdamW", 1234, groups),),
        "steps": (_step(), _step()),
        "schedulers": (WatchedScheduler("LambdaLR", 0, 1),),
        "unowned": (),
        "foreign": (),
        "vectors": (),
        "scales": (),
        "forwards": 4,
        "eval_leaves": (),
        "evaluations": 3,
        "train_mode_evaluations": 2,
        "criterion": WatchedCriterion("cross_entropy", "sum", "probabilities", 5),
        "autocast_dtype": "bfloat16",
        "batch": WatchedBatch((8, 3, 224, 224), "float32", (0.1, -0.25, 0.0), (1.0, 0.5, 2.0)),
        "batches": 4,
        "distinct": 3,
        "repeated": 1,
        "from_loader": True,
        "scaler": True,
        "device": "cuda",
    }
    return Loop(**facts | changes)


PARAMETERS = Parameters(
    (
        Parameter("a.weight", 1000, Group.ADAPTER, trainable=True),
        Parameter("a.bias", 4, Group.HEAD, trainable=True),
        Parameter("c", 3000, Group.OTHER, trainable=False),
    )
)


def _text(loop: Loop, label: str) -> list[str]:
    found, current = dict[str, list[str]](), ""
    for name, text in lines(Seen(loop, PARAMETERS)):
        current = name or current
        found.setdefault(current, []).append(text)
    return found.get(label, [])


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        (
            "optimizer",
            [
                "AdamW, 2 groups",
                "1 parameters (1,000 elements), lr 0.0001 → 0.0002, weight decay 0.05",
                "2 parameters, lr of its own, weight decay 0",
            ],
        ),
        ("accumulation", ["2 backward passes per step, loss weight 1"]),
        ("precision", ["bfloat16 on cuda, a loss scaler"]),
        ("trains", ["1,004 of 4,004 elements (25.1 %) of Net: adapter 1,000, head 4"]),
        ("batch", ["8 x 3 x 224 x 224, float32; per channel mean 0.1, -0.25, 0, deviation 1, 0.5, 2"]),
        ("data", ["4 batches, 3 of them distinct, 1 repeated within a pass"]),
        ("criterion", ["cross_entropy (sum), 5 classes; probabilities enter"]),
        ("schedule", ["LambdaLR, 1 step after the first optimizer step"]),
        ("gradients", ["norm 4 after backward, 1 at the step (medians)"]),
        ("time", ["0.50 s per step, 20 % of it waiting for data"]),
        ("evaluations", ["3 forward passes without gradients, 2 of them in train mode"]),
    ],
)
def test_a_fact_is_a_line(label: str, texts: list[str]) -> None:
    assert _text(_loop(), label) == texts


@pytest.mark.parametrize(
    ("changes", "label", "text"),
    [
        ({"schedulers": ()}, "schedule", "no scheduler of torch; the rates change"),
        ({"criterion": None}, "criterion", "none that is known"),
        ({"batch": None}, "batch", "no tensor entered the model"),
        ({"evaluations": 0}, "evaluations", "none within these steps"),
        ({"evaluations": 1, "train_mode_evaluations": 0}, "evaluations", "1 forward pass without gradients"),
        ({"steps": (_step(), _step(backwards=1))}, "accumulation", "1 to 2 backward passes per step, loss weight 1"),
        ({"steps": (_step(weights=(None, 1.0)),)}, "accumulation", "2 backward passes per step"),
        (
            {"backwards": 8, "backwards_without_step": 7, "steps": (_step(backwards=1, weights=(1.0,)),)},
            "accumulation",
            "1 backward pass per step, loss weight 1; 7 of 8 without a step",
        ),
        ({"steps": (_step(norm=None),)}, "gradients", "none that is finite"),
        ({"autocast_dtype": "", "device": "", "scaler": False}, "precision", "unknown, no loss scaler"),
    ],
)
def test_what_was_not_seen_is_said(changes: dict[str, Any], label: str, text: str) -> None:
    assert _text(_loop(**changes), label) == [text]


@pytest.mark.parametrize("width", [60, 80])
def test_the_page_is_as_wide_as_the_terminal(width: int) -> None:
    ending = "it raised RuntimeError: the images of this folder cannot be read any more (train.py:31)"
    text = list(page(Seen(_loop(ending=ending), PARAMETERS), [], "python train.py", width))
    assert max(map(len, text)) <= width
    assert len(text) <= 40
    assert " ".join(" ".join(text).split()).startswith(f"python train.py: 2 optimizer steps, then {ending}")


def test_a_path_that_is_longer_than_the_terminal_is_not_broken() -> None:
    path = "runs/" + "a_long_name/" * 5
    text = list(page(Seen(_loop(ending=f"FileNotFoundError: {path}"), PARAMETERS), [], "python train.py", 40))
    assert any(path in line for line in text)
