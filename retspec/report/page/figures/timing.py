"""Figures of time: compiled against eager, operators, transforms, loaders."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.marks import Row, bars
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Compilation, DataWait, Loader, Profile, Stage, Stages


def compilation_figures(facts: Compilation) -> Iterator[Figure]:
    """Yield the forward passes of both models."""
    if not (facts.eager and facts.compiled):
        return
    rows = [_timed("eager", facts.eager), _timed(f"compiled ({facts.backend})", facts.compiled)]
    caption = f"A forward pass, median and range: {_said(rows)}."
    yield Figure(
        name="compilation",
        title="Eager and compiled",
        drawing=bars(caption, rows),
        caption=caption,
        checks=frozenset({"min_compile_speedup"}),
        table=_table("model", rows),
    )


def profile_figures(facts: Profile) -> Iterator[Figure]:
    """Yield the slowest operators of a step."""
    if not facts.operators:
        return
    rows = [Row(each.name, each.milliseconds, f"{readable(each.milliseconds)} ms") for each in facts.operators[:12]]
    slowest = facts.operators[0]
    caption = (
        f"Most time of a step goes into {slowest.name}: {readable(slowest.milliseconds)} ms, {slowest.calls:,} calls."
    )
    cells = [(each.name, each.milliseconds, each.calls) for each in facts.operators]
    yield Figure(
        name="operators",
        title="Operators of a step",
        drawing=bars(caption, rows),
        caption=caption,
        checks=frozenset({"step_time_ms", "min_throughput"}),
        table=Table.of(("operator", "ms", "calls"), cells),
    )


def stages_figures(facts: Stages) -> Iterator[Figure]:
    """Yield the way of an image from its file to a tensor, step by step."""
    for name, title, stages in (
        ("transforms", "Time per image, evaluation", facts.transform),
        ("augmentations", "Time per image, training", facts.train_transform),
    ):
        rows = [_staged(each) for each in (facts.decoding, *stages) if each.seconds]
        if not stages or not rows:
            continue
        caption = f"Milliseconds per image, median and range over the rounds: {_said(rows)}."
        yield Figure(
            name=name,
            title=title,
            drawing=bars(caption, rows),
            caption=caption,
            checks=frozenset({"max_transform_ms", "max_augmentation_overhead"}),
            table=_table("step", rows),
        )


def loader_figures(facts: Loader) -> Iterator[Figure]:
    """Yield the throughput of each number of worker processes."""
    rows = []
    for each in facts.sweep:
        rates = [images / seconds for images, seconds in zip(each.images, each.seconds, strict=False) if seconds]
        if rates:
            middle = median(rates)
            rows.append(Row(_workers(each.workers), middle, f"{readable(middle)}/s", rates))
    if not rows:
        return
    caption = f"Images per second in batches of {facts.batch_size}, median and range: {_said(rows)}."
    yield Figure(
        name="workers",
        title="Throughput by worker processes",
        drawing=bars(caption, rows),
        caption=f"{caption} {facts.one_process}".strip(),
        checks=frozenset({"min_loader_throughput"}),
        table=_table("worker processes", rows),
    )


def wait_figures(facts: DataWait) -> Iterator[Figure]:
    """Yield how long a training waits for its data."""
    if not (facts.waited and facts.trained):
        return
    rows = [_timed("waiting for data", facts.waited), _timed("training", facts.trained)]
    caption = f"A round with {_workers(facts.workers)}, median and range: {_said(rows)}."
    yield Figure(
        name="waiting",
        title="Waiting for data",
        drawing=bars(caption, rows),
        caption=caption,
        checks=frozenset({"max_data_wait"}),
        table=_table("part of a round", rows),
    )


def _timed(name: str, seconds: Sequence[float]) -> Row:
    milliseconds = [1000 * each for each in seconds]
    middle = median(milliseconds)
    return Row(name, middle, f"{readable(middle)} ms", milliseconds)


def _staged(stage: Stage) -> Row:
    return _timed(stage.name, stage.seconds)


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _said(rows: Sequence[Row]) -> str:
    return ", ".join(f"{row.name} {row.text}" for row in rows)


def _table(first: str, rows: Sequence[Row]) -> Table:
    cells = [(row.name, row.text, min(row.samples), max(row.samples), len(row.samples)) for row in rows if row.samples]
    return Table.of((first, "median", "least", "most", "samples"), cells)
