"""The wording of several seeds: how far the values go apart, how often the verdict flips, what a margin is worth."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Aggregate
from retspec.text.wording import is_number, margin, notes, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.records import Criterion, Report, Result, Seeds

_BEGINNINGS = {
    Aggregate.WORST: "the worst of {} seeds",
    Aggregate.MEDIAN: "the median of {} seeds",
    Aggregate.ALL: "all {} seeds must meet it",
}
DEVIATIONS = 2
"""Standard deviations that are called noise: of normal values, 95% are so near to their mean."""
_MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""The standard error of the median of normal values, in standard errors of their mean."""
_MOST = 20
"""Notes about noise that a report shows."""
ADVICE = "calibrate its limit (`retspec calibrate --seeds`), or raise the steps that it is measured over"


def under_seeds(seeds: Seeds) -> str:
    """Return the values in a few words: `0.51 … 0.6 over 5 seeds, flips 1 of 5`."""
    return f"{_values(seeds)}{flips_of(seeds)}"


def decided_by(seeds: Seeds) -> str:
    """Return which of the values was judged, with all of them: `the worst of 5 seeds: 0.51 … 0.6 over 5 seeds`."""
    return f"{_BEGINNINGS[seeds.aggregate].format(len(seeds.each))}: {under_seeds(seeds)}"


def flips_of(seeds: Seeds) -> str:
    """Return how often the verdict flips, with a comma before it; empty where it does not."""
    return f", flips {seeds.flips} of {len(seeds.each)}" if seeds.flips else ""


def _values(seeds: Seeds) -> str:
    known = [each.observed.value for each in seeds.each if each.observed is not None]
    count = len(seeds.each)
    if not known:
        return f"no value under {count} seeds"
    if seeds.least is not None and seeds.greatest is not None and seeds.spread:
        least = readable(seeds.least, beside=seeds.greatest)
        greatest = readable(seeds.greatest, beside=seeds.least)
        over = f"{count} seeds" if len(known) == count else f"{len(known)} of {count} seeds"
        return f"{least} … {greatest} over {over}"
    (value, times), *_ = Counter(known).most_common(1)
    return f"{one_line(readable(value))} under {'all ' if times == count else f'{times} of '}{count} seeds"


def noise_of(values: Sequence[float], aggregate: Aggregate | None = None) -> float:
    """Return the noise of values that were measured in the same way: two sample standard deviations.

    values: at least two. aggregate: for a median of as many values, the noise of that.
    """
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    factor = _MEDIAN_ERROR / math.sqrt(len(values)) if aggregate is Aggregate.MEDIAN else 1.0
    return DEVIATIONS * deviation * factor


def within_noise(criterion: Criterion, room: float, noise: float, where: str) -> str:
    """Return that a margin is smaller than the noise, in a sentence; empty where it is not.

    room: the margin, negative for a miss. where: what the noise is known from.
    """
    if abs(room) >= noise:
        return ""
    return (
        f"{one_line(criterion.name)}: its margin {readable(room)} is within its noise {readable(noise)} ({where}): "
        f"the verdict may flip; {ADVICE}"
    )


def every_note(report: Report) -> list[str]:
    """Return the notes of a report, and which of its verdicts flip under its seeds, or may."""
    found = [note for result in report.every_result if (note := noise_note(result))]
    more = [f"{len(found) - _MOST:,} more verdicts may flip"] if len(found) > _MOST else []
    return [*notes(report), *found[:_MOST], *more]


def noise_note(result: Result) -> str:
    """Return that a verdict flips with the seed, or that its margin is within its noise; else an empty string."""
    criterion, seeds = result.criterion, result.seeds
    if seeds is None:
        return ""
    is_of_all = seeds.aggregate is Aggregate.MEDIAN and result.verdict.is_decided  # a seed alone does not turn it
    if seeds.flips and not is_of_all:
        words = Counter(each.verdict.value for each in seeds.each).most_common()
        counted = ", ".join(f"{word} under {times}" for word, times in words)
        return f"{one_line(criterion.name)}: the verdict flips with the seed: {counted} of {len(seeds.each)}; {ADVICE}"
    room = margin(criterion, criterion.judged(result.observed)) if result.observed else None
    values = judged_values(criterion, seeds)
    if room is None or len(values) < len(seeds.each) or not seeds.spread:
        return ""
    return within_noise(criterion, room, noise_of(values, seeds.aggregate), f"{len(values)} seeds")


def judged_values(criterion: Criterion, seeds: Seeds) -> list[float]:
    """Return what is held against the limit under each seed, as far as that is a number."""
    judged = [criterion.judged(each.observed) for each in seeds.each if each.observed is not None]
    return [float(value) for value in judged if is_number(value) and math.isfinite(value)]
