"""Figures of trainings that are repeated or driven to the end: two runs side by side, a few samples by heart."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.marks import Axes, Series, lines
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.facts import Overfitting
    from retspec.facts.reruns import TwoRuns


def two_runs_figures(facts: TwoRuns) -> Iterator[Figure]:
    """Yield the losses of two runs that should do the same, above each other."""
    first, second = facts.first.losses, facts.second.losses
    if not first or not second:
        return
    differing = facts.differing_steps
    steps = range(1, max(len(first), len(second)) + 1)
    found = f"they first differ at step {differing[0]}" if differing else "they are the same, bit by bit"
    caption = f"Losses of two runs that should do the same, over {len(steps)} steps: {found}."
    rows = [(str(x), *(run[x - 1] if x <= len(run) else None for run in (first, second))) for x in steps]
    yield Figure(
        name="two-runs",
        title="Loss of both runs",
        drawing=lines(
            caption,
            Axes(x="optimizer step", y="loss", log=True),
            steps,
            [Series("first run", _finite(first)), Series("second run", _finite(second))],
        ),
        caption=caption,
        checks=frozenset({"script_determinism", "resume_rtol"}),
        table=Table.of(("step", "first run", "second run"), rows),
    )


def overfitting_figures(facts: Overfitting) -> Iterator[Figure]:
    """Yield the loss on the way to a few samples known by heart."""
    if len(facts.losses) < 2:  # noqa: PLR2004 - a line
        return
    steps, losses = [step for step, _ in facts.losses], [loss for _, loss in facts.losses]
    learnt = "not learnt" if facts.learnt_at is None else f"learnt after {facts.learnt_at} steps"
    caption = (
        f"The loss on {facts.samples} samples goes from {readable(losses[0])} to {readable(losses[-1])} "
        f"over {steps[-1]} steps: {learnt}."
    )
    yield Figure(
        name="overfitting",
        title="A few samples by heart",
        drawing=lines(caption, Axes(x="optimizer step", y="loss", log=True), steps, [Series("loss", _finite(losses))]),
        caption=caption,
        checks=frozenset({"overfit_accuracy", "overfit_loss", "overfit_steps"}),
        table=Table.of(("steps", "loss"), [*zip(map(str, steps), losses, strict=True)]),
    )


def _finite(values: tuple[float, ...] | list[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in values]
