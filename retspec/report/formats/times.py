"""Where the time of a run went: starting, preparing the subject, measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.text.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report

MOST = 10
"""Measurements that have a row; the slowest."""


def times(report: Report) -> list[tuple[str, float]]:
    """Return what took time, with its seconds: start-up and preparation first, then measurements, the slowest first.

    Start-up is what no criterion waited for by itself: the start of workers, imports, and what a lost worker took.
    Preparation is what criteria waited for besides measurements: the model, the data, the checks themselves.
    """
    measured: dict[str, float] = {}
    for each in (each for part in report.parts for each in part.measurements):
        measured[each.key] = measured.get(each.key, 0.0) + each.seconds
    waited = sum(result.seconds for result in report.every_result)
    whole = sum(part.seconds for part in report.parts)
    rows = [("start-up", whole - waited), ("preparation", waited - sum(measured.values()))]
    slowest = sorted(measured.items(), key=lambda row: -row[1])
    rows += slowest[:MOST]
    if rest := slowest[MOST:]:
        rows.append((f"{len(rest):,} other measurements", sum(seconds for _, seconds in rest)))
    return [(name, max(seconds, 0.0)) for name, seconds in rows]


def time_lines(report: Report) -> Iterator[str]:
    """Yield a headline, and a row for each thing that took time."""
    if not any(part.measurements for part in report.parts):
        return
    rows = [(one_line(name), duration(seconds)) for name, seconds in times(report)]
    left, right = (max(map(len, column)) for column in zip(*rows, strict=True))
    yield "time:"
    yield from (f"    {name:<{left}}  {took:>{right}}" for name, took in rows)
