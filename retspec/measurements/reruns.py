"""The measurements `second_run` and `resumed_run`: the user's own training once more, in processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts.reruns import TwoRuns
from retspec.plugin import Cost, Passes, measurement

if TYPE_CHECKING:
    from retspec.records import Recipe
    from retspec.subjects.training.watching.watched import WatchedRun


def _two_runs(recipe: Recipe, **_others: object) -> Passes:
    """Return the steps of two more runs; a resumed one also takes those up to its checkpoint, which nobody knows."""
    return Passes(steps=2 * recipe.steps)


Line = Annotated[list[str], Meta(description="Arguments of the training's command line.")]


@measurement(cost=Cost.TRAINING, passes=_two_runs)
def second_run(watched_run: WatchedRun) -> TwoRuns:
    """Run the training twice more, each time in a fresh process."""
    return TwoRuns(watched_run.again(), watched_run.again())


@measurement(cost=Cost.TRAINING, passes=_two_runs)
def resumed_run(watched_run: WatchedRun, *, save: Line, resume: Line) -> TwoRuns:
    """Run the training in one go, and once interrupted and resumed, each part in a fresh process.

    save: the command line of a run that ends by itself and leaves a checkpoint.
    resume: the command line of one that goes on from there.
    """
    before = watched_run.again(args=save, steps=_UNENDED)
    done = len(before.losses)
    if not done:
        raise Inconclusive(f"{before.command} took no step before it ended: {before.ending}")
    steps = watched_run.loop.requested
    resumed = watched_run.again(args=resume, steps=steps)
    whole = watched_run.again(steps=done + steps)
    return TwoRuns(whole.last(steps), resumed.last(steps))


_UNENDED = 1_000_000
"""More steps than a run that saves a checkpoint for this takes."""
