"""Figures of predictions: ROC curves, reliability, confusion, and the same number of several subgroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Confusion, Forest, Reliability, Roc
from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.forest import Interval, forest
from retspec.report.page.marks import Axes, Series, grid, lines
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Statistic

_TALL = 300.0
_QUARTERS = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of false alarms in the table beside a curve."""
_RANKED = frozenset({"min_auroc", "min_label_auroc", "non_inferiority"})
_CALIBRATED = frozenset({"max_calibration_error"})
_GRADED = frozenset({"min_qwk"})
_COMPARED = frozenset({"max_subgroup_gap", "min_class_recall", "min_label_auroc", "min_dice"})


def statistic_figures(facts: Statistic) -> Iterator[Figure]:
    """Yield what a statistic recorded for plots."""
    for index, plot in enumerate(facts.plots):
        match plot:
            case Roc():
                yield from _roc(plot)
            case Reliability():
                yield from _reliability(plot)
            case Confusion():
                yield _confusion(plot)
            case Forest():
                yield from _forest(plot, index)


def _roc(facts: Roc) -> Iterator[Figure]:
    curves = {name: values for name, values in facts.curves.items() if len(values) > 1}
    if not curves:
        return
    points = max(map(len, curves.values()))
    xs = [index / (points - 1) for index in range(points)]
    tenth = {name: values[len(values) // 10] for name, values in curves.items()}
    said = ", ".join(f"{name} {readable(value)}" for name, value in tenth.items())
    caption = f"Sensitivity over 1 - specificity; at a specificity of 0.9: {said}."
    series = [*(Series(name, values) for name, values in curves.items()), Series("chance", xs, quiet=True)]
    axes = Axes(x="1 - specificity", y="sensitivity", zero=True, height=_TALL)
    rows = [
        (f"{share:g}", *(values[round(share * (len(values) - 1))] for values in curves.values())) for share in _QUARTERS
    ]
    yield Figure(
        name="roc",
        title="ROC curve",
        drawing=lines(caption, axes, xs, series),
        caption=caption,
        checks=_RANKED,
        table=Table.of(("1 - specificity", *curves), rows),
    )


def _reliability(facts: Reliability) -> Iterator[Figure]:
    bins = len(facts.images)
    if not bins or not any(facts.images):
        return
    xs = [round((index + 0.5) / bins, 2) for index in range(bins)]
    caption = (
        f"Share of images that are as predicted, in {bins} bins of the probability; dotted, where 95 of 100 shares of "
        "calibrated probabilities are."
    )
    series = [
        Series("observed", facts.observed),
        Series("predicted", facts.predicted, quiet=True),
        Series("lowest", facts.lowest, quiet=True),
        Series("highest", facts.highest, quiet=True),
    ]
    axes = Axes(x="probability", y="share", zero=True, height=_TALL)
    rows = [
        (f"{index / bins:.2f} to {(index + 1) / bins:.2f}", *values)
        for index, values in enumerate(
            zip(facts.images, facts.predicted, facts.observed, facts.lowest, facts.highest, strict=False)
        )
    ]
    yield Figure(
        name="reliability",
        title="Reliability",
        drawing=lines(caption, axes, xs, series),
        caption=caption,
        checks=_CALIBRATED,
        table=Table.of(("probability", "images", "predicted", "observed", "lowest by chance", "highest"), rows),
    )


def _confusion(facts: Confusion) -> Figure:
    right = sum(row[index] for index, row in enumerate(facts.counts) if index < len(row))
    total = sum(map(sum, facts.counts))
    caption = f"Images by true class (rows) and predicted class (columns): {right:,} of {total:,} are right."
    rows = [(name, *row) for name, row in zip(facts.classes, facts.counts, strict=False)]
    first, last = (facts.classes[0], facts.classes[-1]) if facts.classes else ("", "")
    return Figure(
        name="confusion",
        title="Confusion matrix",
        drawing=grid(caption, facts.classes, ("predicted class", first, last), facts.counts),
        caption=caption,
        checks=_GRADED,
        table=Table.of(("true class", *facts.classes), rows),
    )


def _forest(facts: Forest, index: int) -> Iterator[Figure]:
    if not facts.rows:
        return
    rows = [Interval(row.name, row.value, row.lower, row.upper, _text(row.value, row.images)) for row in facts.rows]
    worst = min(facts.rows, key=lambda row: row.value)
    caption = (
        f"{facts.title[:1].upper()}{facts.title[1:]}, with intervals: lowest for {worst.name}, {readable(worst.value)} "
        f"({readable(worst.lower)} to {readable(worst.upper)})."
    )
    yield Figure(
        name=f"forest-{index + 1}",
        title=f"{facts.title[:1].upper()}{facts.title[1:]}",
        drawing=forest(caption, rows),
        caption=caption,
        checks=_COMPARED,
        table=Table.of(("of", "estimate", "lower", "upper", "images"), _cells(facts)),
    )


def _cells(facts: Forest) -> Sequence[Sequence[object]]:
    return [(row.name, row.value, row.lower, row.upper, row.images) for row in facts.rows]


def _text(value: float, images: int | None) -> str:
    return readable(round(value, 3)) if images is None else f"{readable(round(value, 3))} of {images:,}"
