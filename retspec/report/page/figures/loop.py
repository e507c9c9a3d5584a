"""Figures of a watched training: its losses, learning rates, gradient norms and times, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.marks import Axes, Series, lines
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Loop, WatchedOptimizer, WatchedStep

_MOST_GROUPS = 6
_STEP = "optimizer step"


def loop_figures(facts: Loop) -> Iterator[Figure]:
    """Yield the figures of a training that took a step."""
    try:
        steps, optimizer = facts.main_steps, facts.optimizers[facts.main]
    except NoVerdict:
        return
    makers = (_losses(steps), _rates(optimizer), _norms(steps), _times(steps))
    yield from (figure for figure in makers if figure is not None)


def _losses(steps: Sequence[WatchedStep]) -> Figure | None:
    values = [sum(step.losses) / len(step.losses) if step.losses else None for step in steps]
    known = [value for value in values if value is not None]
    if not known:
        return None
    caption = f"The loss of a backward pass goes from {readable(known[0])} to {readable(known[-1])}."
    axes = Axes(x=_STEP, y="loss", log=True)
    return _over_steps("loop-loss", "Loss as the training computed it", caption, axes, [Series("loss", values)])


def _rates(optimizer: WatchedOptimizer) -> Figure | None:
    groups = [(index, group) for index, group in enumerate(optimizer.groups) if group.rates]
    if not groups:
        return None
    series = [Series(f"group {index}", group.rates) for index, group in groups[:_MOST_GROUPS]]
    parts = [f"group {i} from {readable(g.rates[0])} to {readable(g.rates[-1])}" for i, g in groups[:_MOST_GROUPS]]
    caption = f"Learning rate of {optimizer.kind} at each step: {'; '.join(parts)}."
    found = _over_steps("learning-rate", "Learning rate", caption, Axes(x=_STEP, y="learning rate"), series)
    return _explaining(found, "lr_rtol", "scheduler_steps", "idle_groups")


def _norms(steps: Sequence[WatchedStep]) -> Figure | None:
    after = [step.norm_after_backward for step in steps]
    applied = [step.norm for step in steps]
    if not any(after) and not any(applied):
        return None
    caption = "Norm of all gradients after the last backward pass of a step, and as the optimizer applied it."
    series = [Series("backward", after), Series("applied", applied)]
    found = _over_steps("gradient-norm", "Gradient norm", caption, Axes(x=_STEP, y="norm", log=True), series)
    return _explaining(found, "clip_factor", "stale_gradients", "steps_without_backward")


def _times(steps: Sequence[WatchedStep]) -> Figure | None:
    seconds = [1000 * step.seconds for step in steps]
    waited = [1000 * step.waited for step in steps]
    share = sum(waited) / sum(seconds) if sum(seconds) else 0.0
    caption = f"Time of a step, and how much of it the loop waited for data: {share:.0%} in all."
    series = [Series("step", seconds), Series("waiting", waited)]
    axes = Axes(x=_STEP, y="milliseconds", zero=True)
    found = _over_steps("loop-time", "Time of a step of the training", caption, axes, series)
    return _explaining(found, "step_time_ms", "min_throughput", "max_data_wait")


def _over_steps(name: str, title: str, caption: str, axes: Axes, series: Sequence[Series]) -> Figure:
    xs = range(1, max(len(each.values) for each in series) + 1)
    rows = [(str(x), *(each.values[x - 1] if x <= len(each.values) else None for each in series)) for x in xs]
    return Figure(
        name=name,
        title=title,
        drawing=lines(caption, axes, xs, series),
        caption=caption,
        table=Table.of(("step", *(each.name for each in series)), rows),
    )


def _explaining(figure: Figure, *checks: str) -> Figure:
    return replace(figure, checks=frozenset(checks))
