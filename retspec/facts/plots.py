"""What of a statistic is worth drawing: sums over images, of bounded size, and nothing of any one of them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Roc(Struct, frozen=True, tag="roc"):
    """Curves of sensitivity over false alarms."""

    curves: Mapping[str, tuple[float, ...]]
    """Name of a curve to its sensitivity at evenly spaced values of 1 - specificity, from 0 to 1."""


class Reliability(Struct, frozen=True, tag="reliability"):
    """Predicted and observed shares in bins of the probability, as wide as each other from 0 to 1."""

    images: tuple[int, ...]
    """Images in each bin."""
    predicted: tuple[float | None, ...]
    """Mean probability of each bin; None where it is empty."""
    observed: tuple[float | None, ...]
    """Share of the images of each bin that are as predicted."""
    lowest: tuple[float | None, ...]
    """What that share is above in 95 of 100 cases, were the probabilities calibrated."""
    highest: tuple[float | None, ...]
    """What it is below in as many."""


class Confusion(Struct, frozen=True, tag="confusion"):
    """How often each true class is given each class as the most probable one."""

    classes: tuple[str, ...]
    """Their names."""
    counts: tuple[tuple[int, ...], ...]
    """Images; a row for each true class, a column for each predicted one."""


class ForestRow(Struct, frozen=True):
    """One number of several, with its interval."""

    name: str
    """What it is of, such as a subgroup."""
    value: float
    """The estimate."""
    lower: float
    """The lower end of its interval."""
    upper: float
    """The upper end."""
    images: int | None = None
    """What it is from; None where that is not known."""


class Forest(Struct, frozen=True, tag="forest"):
    """The same number of several subgroups, classes or labels."""

    title: str
    """What the number is, such as `sensitivity by sex`."""
    rows: tuple[ForestRow, ...]
    """One of each subgroup, class or label."""


Plot = Roc | Reliability | Confusion | Forest
"""One of them, by its `type`."""
