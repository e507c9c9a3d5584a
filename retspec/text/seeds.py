"""The wording of several seeds: how far the values go apart, how often the verdict flips, what a margin is worth."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Aggregate
from retspec.text.wording import is_number, margin, notes, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from retspec.records import Criterion, Report, Result, Seeds, Spread

_BEGINNINGS = {
    Aggregate.WORST: "the worst of {} seeds",
    Aggregate.MEDIAN: "the median of {} seeds",
    Aggregate.ALL: "all {} seeds must meet it",
}
DEVIATIONS = 2
"""Standard deviations that are called noise: of normal values, 95% are so near to their mean."""
FEWEST = 3
"""Values without seeds that say how much a measurement varies."""
_MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""The standard error of the median of normal values, in standard errors of their mean."""
_MOST = 20
"""Notes about noise that a report shows."""
ADVICE = "calibrate its limit (`retspec calibrate --seeds`), or raise the steps that it is measured over"


def under_seeds(seeds: Seeds) -> str:
    """Return the values in a few words: `0.51 … 0.6 over 5 seeds, flips 1 of 5`."""
    return f"{_values(seeds)}{flips_of(seeds)}"


def seen_under(result: Result) -> str:
    """Return the values of a result in a run under several seeds: `once` where no seed changes what it reads.

    Empty where nothing was observed.
    """
    return under_seeds(result.seeds) if result.seeds else "once" if result.observed else ""


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


def within_noise(result: Result, noise: float, where: str) -> str:
    """Return that the margin of a result is smaller than the noise, in a sentence; empty where it is not.

    noise: zero where it is not known. where: what it is known from.
    """
    criterion, observed = result.criterion, result.observed
    room = margin(criterion, criterion.judged(observed)) if observed else None
    if room is None or abs(room) >= noise:
        return ""
    return (
        f"{one_line(criterion.name)}: its margin {readable(room)} is within its noise {readable(noise)} ({where}): "
        f"the verdict may flip; {ADVICE}"
    )


def every_note(report: Report) -> list[str]:
    """Return the notes of a report, and which of its verdicts flip under its seeds, or may."""
    found = [note for part in report.parts for result in part.results if (note := noise_note(result, noise_in(part)))]
    more = [f"{len(found) - _MOST:,} more verdicts may flip"] if len(found) > _MOST else []
    return [*notes(report), *found[:_MOST], *more]


def noise_in(part: Report) -> Mapping[str, Spread]:
    """Return what `retspec prove --aa` saw of each criterion on the device of a report or a cell; may be empty."""
    flips = part.proof.flips if part.proof else None
    return flips.observed if flips and flips.device == part.provenance.device else {}


def noise_note(result: Result, known: Mapping[str, Spread]) -> str:
    """Return that a verdict flips with the seed, or that its margin is within its noise; else an empty string.

    known: what `noise_in` returns for the report that holds the result; the seeds of the result itself say more.
    """
    criterion, seeds = result.criterion, result.seeds
    if seeds is None:
        return _note_of_proof(result, known.get(criterion.id))
    is_of_all = seeds.aggregate is Aggregate.MEDIAN and result.verdict.is_decided  # a seed alone does not turn it
    if seeds.flips and not is_of_all:
        words = Counter(each.verdict.value for each in seeds.each).most_common()
        counted = ", ".join(f"{word} under {times}" for word, times in words)
        return f"{one_line(criterion.name)}: the verdict flips with the seed: {counted} of {len(seeds.each)}; {ADVICE}"
    values = judged_values(criterion, seeds)
    if len(values) < len(seeds.each) or not seeds.spread:
        return ""
    return within_noise(result, noise_of(values, seeds.aggregate), f"{len(values)} seeds")


def _note_of_proof(result: Result, spread: Spread | None) -> str:
    if spread is None or spread.runs < FEWEST or not result.verdict.is_decided:
        return ""
    return within_noise(result, DEVIATIONS * spread.deviation, f"{spread.runs} runs of `retspec prove --aa`")


def judged_values(criterion: Criterion, seeds: Seeds) -> list[float]:
    """Return what is held against the limit under each seed, as far as that is a number."""
    return finite(criterion.judged(each.observed) for each in seeds.each if each.observed is not None)


def finite(values: Iterable[object]) -> list[float]:
    """Return the finite numbers among some values."""
    return [float(value) for value in values if is_number(value) and abs(value) <= sys.float_info.max]
