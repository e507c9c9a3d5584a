"""Figures of a short training: its loss, the flow of its gradients, the time of its steps."""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.marks import Axes, Series, grid, lines
from retspec.text.wording import listing, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import GradientHistory, Training

LOSS = frozenset(
    {"loss_drop", "max_final_loss", "max_loss_rise", "initial_loss_rtol", "nonfinite_steps", "input_matters"}
)
GRADIENTS = frozenset({"dead_gradients", "min_grad_norm", "max_grad_norm", "nonfinite_gradients", "unchanged_params"})
TIMES = frozenset({"step_time_ms", "min_throughput"})
_MOST_ROWS, _MOST_COLUMNS = 80, 48
_ADAPTERS = re.compile(r"\.(lora_\w+|modules_to_save)(\..*)?$")
_WRAPPERS = ("base_model.model.", "module.", "_orig_mod.")


def training_figures(facts: Training) -> Iterator[Figure]:
    """Yield the figures of a training that took a step."""
    if facts.losses:
        yield _loss(facts)
    moving = [each for each in facts.gradients if each.norms]
    if moving:
        yield _flow(moving)
        yield _over_steps(moving)
    if len(facts.seconds) > 1:
        yield _times(facts)


def _loss(facts: Training) -> Figure:
    steps = range(1, len(facts.losses) + 1)
    chance = [] if facts.chance_loss is None else [("chance", facts.chance_loss)]
    first, last = facts.losses[0], facts.losses[-1]
    ended = f"; it is not finite at step {facts.nonfinite_loss_at + 1}" if facts.nonfinite_loss_at is not None else ""
    caption = f"The loss goes from {readable(first)} to {readable(last)} over {_counted(len(steps), 'step')}{ended}."
    if facts.chance_loss is not None:
        caption += f" Equal probabilities have a loss of {readable(facts.chance_loss)}."
    axes = Axes(x="optimizer step", y="loss", levels=chance, log=True)
    return Figure(
        name="loss",
        title="Loss",
        drawing=lines(caption, axes, steps, [Series("loss", facts.losses)]),
        caption=caption,
        checks=LOSS,
        table=Table.of(("step", "loss"), [*zip(map(str, steps), facts.losses, strict=True)]),
    )


def _flow(gradients: Sequence[GradientHistory]) -> Figure:
    """Draw the gradient norm of each layer in the order of the network: first and last step, and median."""
    layers = _layers(gradients)
    firsts, lasts = [norms[0] for _, norms in layers], [norms[-1] for _, norms in layers]
    medians = [_median(norms) for _, norms in layers]
    dead = [short_name(each.name) for each in gradients if each.is_dead]
    known = [value for value in medians if value]
    spread = f"; the median over the steps is from {readable(min(known))} to {readable(max(known))}" if known else ""
    caption = f"Gradient norm of {_counted(len(layers), 'layer')} in the order of the network{spread}."
    if dead:
        caption += f" Without a gradient: {listing(dead)}."
    series = [Series("first step", firsts), Series("last step", lasts), Series("median", medians)]
    xs = range(1, len(layers) + 1)
    axes = Axes(x="trainable layer, from input to output", y="gradient norm", log=True, height=210)
    rows = [(short_name(each.name), each.norms[0], _median(each.norms), each.norms[-1]) for each in gradients]
    return Figure(
        name="gradient-flow",
        title="Gradient flow",
        drawing=lines(caption, axes, xs, series),
        caption=caption,
        checks=GRADIENTS,
        table=Table.of(("tensor", "first step", "median", "last step"), rows),
    )


def _over_steps(gradients: Sequence[GradientHistory]) -> Figure:
    steps = max(len(each.norms) for each in gradients)
    grouped = _layers(gradients)
    caption = (
        f"Gradient norm of {_counted(len(grouped), 'layer')}, from input to output, over {_counted(steps, 'step')}: "
        "the stronger the colour, the larger, by the logarithm. A dotted row has no gradient."
    )
    drawn = grid(
        caption,
        [name for name, _ in grouped],
        ("optimizer step", "1", str(steps)),
        [_binned(norms, _MOST_COLUMNS) for _, norms in grouped],
    )
    return Figure(
        name="gradients", title="Gradients over the steps", drawing=drawn, caption=caption, checks=frozenset()
    )


def _times(facts: Training) -> Figure:
    steps = range(1, len(facts.seconds) + 1)
    milliseconds = [1000 * each for each in facts.seconds]
    middle = median(milliseconds)
    least, most = readable(min(milliseconds)), readable(max(milliseconds))
    caption = f"A step takes {readable(middle)} ms in the median, from {least} to {most} ms."
    axes = Axes(x="optimizer step", y="milliseconds", zero=True, levels=[("median", middle)], height=140)
    return Figure(
        name="step-time",
        title="Time of a step",
        drawing=lines(caption, axes, steps, [Series("step", milliseconds)]),
        caption=caption,
        checks=TIMES,
        table=Table.of(("step", "ms"), [*zip(map(str, steps), milliseconds, strict=True)]),
    )


def short_name(name: str) -> str:
    """Return the name of a tensor without what wrappers put before it."""
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name.replace(".default.", ".")


def _layer_of(name: str) -> str:
    """Return the layer that a tensor belongs to; the factors of an adapter belong to the layer that it adapts."""
    return _ADAPTERS.sub("", short_name(name).rpartition(".")[0]) or name


def _layers(gradients: Sequence[GradientHistory]) -> list[tuple[str, list[float | None]]]:
    """Return the norm of each layer at each step, in order: over its tensors, and over neighbours if there are many."""
    layers: dict[str, list[GradientHistory]] = {}
    for each in gradients:
        layers.setdefault(_layer_of(each.name), []).append(each)
    found = [(name, _together([each.norms for each in members])) for name, members in layers.items()]
    every = -(-len(found) // _MOST_ROWS)
    chunks = [found[start : start + every] for start in range(0, len(found), every)]
    return [(chunk[0][0], _together([norms for _, norms in chunk])) for chunk in chunks]


def _together(rows: Sequence[Sequence[float | None]]) -> list[float | None]:
    """Return the norm over several tensors at each step; None where none of them has one."""
    steps = max(map(len, rows))
    columns = ([row[step] for row in rows if step < len(row) and row[step] is not None] for step in range(steps))
    return [
        sum(value * value for value in column if value is not None) ** 0.5 if column else None for column in columns
    ]


def _binned(values: Sequence[float | None], most: int) -> list[float | None]:
    """Return the largest of neighbours, so that at most so many values are left."""
    every = -(-len(values) // most)
    chunks = (values[start : start + every] for start in range(0, len(values), every))
    return [max((value for value in chunk if value is not None), default=None) for chunk in chunks]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
