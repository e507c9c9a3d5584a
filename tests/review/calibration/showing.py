"""A plugin whose checks show the value that they are given, in every direction and of every type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from retspec.plugin import Check, Inconclusive, Interval, Observed, check, hookimpl


@check(direction="at most", unit="MB", advice="Nothing to do.")
def most(*, value: float = 1.0) -> float:
    """How much?"""
    return value


@check(direction="at most", advice="Nothing to do.")
def most_count(*, value: int = 0) -> int:
    """How many?"""
    return value


@check(direction="at most", advice="Nothing to do.")
def most_share(*, value: float = 0.9) -> Annotated[float, Meta(le=1)]:
    """Which share?"""
    return value


@check(direction="at least", advice="Nothing to do.")
def least(*, value: float = 1.0) -> float:
    """How much at least?"""
    return value


@check(direction="at least", advice="Nothing to do.")
def least_count(*, value: int = 1) -> int:
    """How many at least?"""
    return value


@check(direction="equal", advice="Nothing to do.")
def shape(*, value: tuple[int, ...] = (4, 5)) -> tuple[int, ...]:
    """Which shape?"""
    return value


@check(direction="equal", advice="Nothing to do.")
def word(*, value: str = "float32") -> str:
    """Which word?"""
    return value


@check(direction="at most", advice="Nothing to do.", default_limit=5, shorthand="names")
def named(*, names: list[str]) -> int:
    """How many other names?"""
    return len(names)


@check(direction="at least", advice="Nothing to do.", interval=True)
def least_known() -> Observed[Annotated[float, Meta(le=1)]]:
    """How much at least, of 150 patients?"""
    return Observed(0.9, interval=Interval(lower=0.8, upper=0.95, level=0.95, method="", images=300, patients=150))


@check(direction="at most", advice="Nothing to do.", interval=True)
def most_known() -> Observed[float]:
    """How much at most, of 300 images?"""
    return Observed(4.0, interval=Interval(lower=3.0, upper=5.0, level=0.95, method="", images=300))


@check(direction="at most", advice="Nothing to do.")
def hopeless() -> float:
    """Can it be told?"""
    raise Inconclusive("nothing can be seen")


@check(direction="at most", advice="Nothing to do.")
def meddles(*, path: str) -> int:
    """Does it edit the spec meanwhile?"""
    with Path(path).open("a") as file:
        file.write("# meanwhile\n")
    return 1


KNOWN = [least_known, most_known]
"""Checks whose observations have an interval."""


@hookimpl
def retspec_checks() -> list[Check]:
    return [most, most_count, most_share, least, least_count, shape, word, named, *KNOWN, hopeless, meddles]
