"""Facts about a healthy loop, as a watch returns them, to vary."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from retspec.facts import (
    Loop,
    WatchedBatch,
    WatchedCriterion,
    WatchedGroup,
    WatchedOptimizer,
    WatchedScheduler,
    WatchedStep,
)

STEP = WatchedStep(
    optimizer=0,
    backwards=2,
    fed=True,
    stale=0,
    losses=(0.8, 0.7),
    weights=(0.5, 0.5),
    norm_after_backward=4.0,
    norm=1.0,
    seconds=0.1,
    waited=0.02,
)
DECAYED = WatchedGroup(("head.weight",), 0.05, (1e-3, 9e-4, 8e-4))
SKIPPED = WatchedGroup(("norm.weight", "norm.bias", "head.bias"), 0.0, (1e-3, 9e-4, 8e-4))
ADAMW = WatchedOptimizer("AdamW", 100, (DECAYED, SKIPPED))
LOOP = Loop(
    command="python train.py",
    requested=3,
    ending="",
    model="Net",
    optimizers=(ADAMW,),
    steps=(STEP,) * 3,
    schedulers=(WatchedScheduler("LinearLR", 0, 2),),
    unowned=(),
    foreign=(),
    vectors=("norm.weight", "norm.bias", "head.bias"),
    scales=("norm.weight",),
    forwards=6,
    eval_leaves=(),
    evaluations=1,
    train_mode_evaluations=0,
    criterion=WatchedCriterion("cross_entropy", "mean", "logits", 5),
    autocast_dtype="bfloat16",
    batch=WatchedBatch((4, 3, 32, 32), "float32", (0.0,) * 3, (1.0,) * 3),
    batches=6,
    distinct=6,
    repeated=0,
    from_loader=True,
    device="cuda",
    averages=("AveragedModel",),
)


def loop(**changes: Any) -> Loop:
    """Return the healthy loop with some facts changed."""
    return replace(LOOP, **changes)


def steps(*changes: dict[str, Any]) -> tuple[WatchedStep, ...]:
    """Return a step for each mapping of what is changed in it."""
    return tuple(replace(STEP, **each) for each in changes)


def optimizer(**changes: Any) -> WatchedOptimizer:
    """Return an optimizer of one group in which some facts are changed."""
    return WatchedOptimizer("AdamW", 100, (replace(DECAYED, **changes),))
