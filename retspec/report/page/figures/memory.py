"""Figures of memory and operations: after each step, at the peak, by batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.marks import Axes, Row, Series, bars, lines
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retspec.facts import Estimate, Memory, MemoryEstimate, MemoryFit, StepFlops

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_MB, _GB, _GIGA = 1e6, 1e9, 1e9
_MOST = 10


def memory_figures(facts: Memory) -> Iterator[Figure]:
    """Yield the memory after each step, with the peak within one."""
    after = [size / _MB for size in facts.after_step]
    if not after:
        return
    peak = facts.peak / _MB
    caption = (
        f"Memory after each step, from {readable(after[0])} to {readable(after[-1])} MB; "
        f"within a step it reaches {readable(peak)} MB ({facts.source})."
    )
    axes = Axes(x="steady step", y="MB", zero=True, levels=[("peak within a step", peak)], height=160)
    xs = range(1, len(after) + 1)
    yield Figure(
        name="memory",
        title="Memory over the steps",
        drawing=lines(caption, axes, xs, [Series("after a step", after)]),
        caption=caption,
        checks=frozenset({"peak_memory_mb", "memory_growth_mb"}),
        table=Table.of(("step", "MB"), [*zip(map(str, xs), after, strict=True)]),
    )


def estimate_figures(facts: MemoryEstimate) -> Iterator[Figure]:
    """Yield what the memory of a step is for, and how other ways of training compare."""
    ways = [("this setup", facts.step), ("full fine-tuning", facts.full)]
    if facts.checkpointed is not None:
        ways.insert(1, ("with checkpointing", facts.checkpointed))
    size, unit = _unit(facts.step.peak)
    total = readable(facts.step.peak / size)
    caption = f"A step of {facts.step.batch_size} images reaches {total} {unit} on {facts.target}, by estimate."
    yield _parts(facts.step, caption)
    if facts.over_step:
        yield _course(facts)
    compared = {name: estimate.peak / size for name, estimate in ways}
    caption = f"Peak of a step: {', '.join(f'{name} {readable(peak)} {unit}' for name, peak in compared.items())}."
    yield Figure(
        name="memory-ways",
        title="Memory of other ways to train",
        drawing=bars(caption, _rows(compared, unit)),
        caption=caption,
        checks=frozenset({"max_memory_estimate_gb"}),
        table=Table.of(("way", unit), [*compared.items()]),
    )


def _course(facts: MemoryEstimate) -> Figure:
    size, unit = _unit(facts.step.peak)
    levels = [level / size for level in facts.over_step]
    xs = [100 * index / max(len(levels) - 1, 1) for index in range(len(levels))]
    highest = xs[levels.index(max(levels))]
    caption = (
        f"Memory over one step of {facts.step.batch_size} images on {facts.target}, by estimate, from "
        f"{readable(levels[0])} {unit}; it is highest, {readable(max(levels))} {unit}, after {highest:.0f}% of the "
        "allocations and releases."
    )
    axes = Axes(x="% of the allocations and releases of a step", y=unit, zero=True, height=160)
    return Figure(
        name="memory-course",
        title="Memory over a step",
        drawing=lines(caption, axes, xs, [Series("in use", levels)]),
        caption=caption,
        checks=frozenset({"max_memory_estimate_gb"}),
        table=Table.of(("%", unit), [(f"{x:.0f}", level) for x, level in zip(xs, levels, strict=True)]),
    )


def _parts(estimate: Estimate, caption: str) -> Figure:
    size, unit = _unit(estimate.peak)
    parts = {name: part / size for name, part in _largest_first(estimate.parts) if part}
    return Figure(
        name="memory-parts",
        title="Memory at the peak of a step",
        drawing=bars(caption, _rows(parts, unit)),
        caption=caption,
        checks=frozenset({"max_memory_estimate_gb"}),
        table=Table.of(("part", unit), [*parts.items()]),
    )


def fit_figures(facts: MemoryFit) -> Iterator[Figure]:
    """Yield the largest batch for each way to compute."""
    if not facts.fittings:
        return
    names = {"none": facts.dtype}
    found = [(names.get(each.amp, f"{each.amp} autocast"), each.largest) for each in facts.fittings]
    fits = ", ".join(f"{size:,} images in {name}" for name, size in found)
    caption = f"The largest batch that fits in {readable(facts.memory / _GB)} GB, by estimate: {fits}."
    yield Figure(
        name="batch-sizes",
        title="Largest batch that fits",
        drawing=bars(caption, [Row(name, size, f"{size:,}") for name, size in found]),
        caption=caption,
        checks=frozenset({"min_fitting_batch_size"}),
        table=Table.of(("computed in", "images"), found),
    )


def flops_figures(facts: StepFlops) -> Iterator[Figure]:
    """Yield the operations of a step by kind."""
    counts = {name: count / _GIGA for name, count in _largest_first(facts.operators)[:_MOST]}
    if not counts:
        return
    total = readable((facts.forward + facts.backward) / _GIGA)
    caption = f"A step of {facts.batch_size} images takes {total} GFLOP; the kinds of operation that take most."
    yield Figure(
        name="operations",
        title="Operations of a step",
        drawing=bars(caption, _rows(counts, "GFLOP")),
        caption=caption,
        checks=frozenset({"max_step_gflops"}),
        table=Table.of(("operation", "GFLOP"), [*counts.items()]),
    )


def _unit(size: float) -> tuple[float, str]:
    """Return the bytes of the largest unit that a size has at least one of, and its name."""
    return next((each for each in _UNITS if size >= each[0]), (1.0, "bytes"))


def _largest_first(values: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the entries by size: a mapping in results is sorted by name."""
    return sorted(values.items(), key=lambda entry: -entry[1])


def _rows(values: Mapping[str, float], unit: str) -> list[Row]:
    return [Row(name, value, f"{readable(value)} {unit}") for name, value in values.items()]
