"""The strip of a criterion that was measured under several seeds: a dot for each value, and the limit across them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from retspec.characters import one_line, revealed
from retspec.records import Aggregate, Direction
from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.marks import WIDTH
from retspec.report.page.scales import scale
from retspec.report.page.svg import drawing, line, tag, words
from retspec.text.seeds import under_seeds
from retspec.text.wording import is_number, listing, readable, required

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markupsafe import Markup

    from retspec.records import Criterion, Result, Seeds

_SIDE, _TOP, _BOTTOM = 14.0, 20.0, 33.0
_APART = 11.0
"""Pixels from one dot to the next one that is beside or above it."""
_MOST_LANES = 6
_LETTER = 6.2
"""Pixels of a letter."""
_LONGEST = 48
"""Letters of a label."""
_LARGEST = 1e300
"""A number from here on is not drawn: its distance to another one may be infinite."""
_NAMES = {Aggregate.WORST: "the worst", Aggregate.MEDIAN: "the median", Aggregate.ALL: "the worst"}


def strip_of(result: Result) -> Figure | None:
    """Return the strip of a result; None without several seeds, and for values without a direction or a spread."""
    criterion, seeds = result.criterion, result.seeds
    if seeds is None or not seeds.spread or criterion.direction is Direction.EQUAL:
        return None
    values, limit = _values(criterion, seeds), criterion.limit
    if len(values) < 2 or not _is_drawn(limit):  # noqa: PLR2004 - one value needs no strip
        return None
    return Figure(
        name="seeds",
        title=f"Under {len(seeds.each)} seeds",
        drawing=_drawn(criterion, seeds, values),
        caption=" ".join(_caption(criterion, seeds, values)),
        table=Table.of(
            ("seed", "value", "verdict"),
            [(str(each.seed), values.get(each.seed), each.verdict.value) for each in seeds.each],
        ),
    )


def _values(criterion: Criterion, seeds: Seeds) -> dict[int, float]:
    """Return what is held against the limit under each seed, as far as it can be drawn."""
    judged = {each.seed: criterion.judged(each.observed) for each in seeds.each if each.observed is not None}
    return {seed: float(value) for seed, value in judged.items() if _is_drawn(value)}


def _is_drawn(value: object) -> TypeGuard[int | float]:
    return is_number(value) and -_LARGEST < value < _LARGEST


def _drawn(criterion: Criterion, seeds: Seeds, values: Mapping[int, float]) -> Markup:
    limit, *warn = [float(each) for each in (criterion.limit, criterion.warn) if _is_drawn(each)]
    across = scale([*values.values(), limit, *warn], _SIDE, WIDTH - _SIDE, log=True)
    lanes = _lanes({seed: across(value) for seed, value in values.items()})
    bottom = _TOP + (max(lanes.values()) + 1) * _APART + 8
    at = across(limit)
    first, last = (0.0, at) if criterion.direction is Direction.AT_MOST else (at, WIDTH)
    middle = (_TOP + bottom) / 2
    marks = [
        line(first, middle, last, middle, "allowed", stroke_width=bottom - _TOP, stroke_opacity=0.12),
        line(0, bottom, WIDTH, bottom, "axis", stroke_opacity=0.5),
        *(words(f"{tick:g}", across(tick), bottom + 13, "middle") for tick in across.ticks()),
        line(at, 14, at, bottom, "limit", stroke_width=2),
        _label(_short(required(criterion)), at, 10, "note"),
        *(line(across(each), _TOP, across(each), bottom, "warn", stroke_dasharray="2 2") for each in warn),
    ]
    for seed, value in sorted(values.items(), key=lambda each: each[0] == seeds.judged):  # what decided is above all
        y = bottom - 4 - (lanes[seed] + 0.5) * _APART
        marks.append(_dot(across(value), y, decides=seed == seeds.judged))
    if seeds.judged in values:
        text = f"{_NAMES[seeds.aggregate]}: {readable(values[seeds.judged], beside=limit)}"
        marks.append(_label(text, across(values[seeds.judged]), bottom + 28, "value"))
    return drawing(WIDTH, bottom + _BOTTOM, marks, label=_in_words(criterion, seeds), class_="plot")


def _dot(x: float, y: float, *, decides: bool) -> Markup:
    """Return a ring, and a larger, filled dot for the value that decided: a shape, so that no colour is needed."""
    if decides:
        return tag("circle", cx=x, cy=y, r=5, fill="currentColor", stroke="none")
    return tag("circle", cx=x, cy=y, r=3.5, class_="s0", stroke_width=2)


def _lanes(places: Mapping[int, float]) -> dict[int, int]:
    """Return the lane of each dot: of those that would lie on one another, one is above the other, up to some."""
    ends: list[float] = []
    lanes = {}
    for seed, x in sorted(places.items(), key=lambda each: each[1]):
        free = [lane for lane, end in enumerate(ends) if end <= x - _APART]
        if free or len(ends) == _MOST_LANES:
            lane = free[0] if free else min(range(len(ends)), key=ends.__getitem__)
            ends[lane] = x
        else:
            lane = len(ends)
            ends.append(x)
        lanes[seed] = lane
    return lanes


def _label(text: str, x: float, y: float, kind: str) -> Markup:
    """Return a text above or below a place, moved so that it is inside the drawing."""
    half = len(text) * _LETTER / 2
    return words(text, min(max(x, half), WIDTH - half), y, "middle", kind)


def _caption(criterion: Criterion, seeds: Seeds, values: Mapping[int, float]) -> Iterator[str]:
    yield "A ring is the value under one seed."
    if seeds.judged in values:
        yield f"The filled dot is {_NAMES[seeds.aggregate]}, under seed {seeds.judged}, which is judged."
    yield f"The line is the limit, {_short(required(criterion))}, and the band what it allows."
    if _is_drawn(criterion.warn):
        yield f"The dashed line is where it begins to warn, {readable(criterion.warn)}."
    if unseen := [str(each.seed) for each in seeds.each if each.seed not in values]:
        yield f"No value under seed {listing(unseen)}."


def _in_words(criterion: Criterion, seeds: Seeds) -> str:
    return f"{under_seeds(seeds)}, required {_short(required(criterion))}"


def _short(text: str) -> str:
    text = one_line(revealed(text))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
