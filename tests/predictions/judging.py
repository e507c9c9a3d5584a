"""A plugin with checks that say what the measurement `predictions` holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from retspec.plugin import Check, Observed, check, hookimpl

if TYPE_CHECKING:
    from retspec.facts import Predictions, Training


@check(direction="at least", advice="Nothing to do.")
def accuracy(predictions: Predictions) -> Observed[float]:
    """Which share of the judged images has its largest score at its label?"""
    table = predictions.judged
    right = (table.scores.argmax(axis=1) == table.labels).mean()
    details = {"ids": list(table.ids), "scores": table.scores.tolist(), "torch": "torch" in sys.modules}
    return Observed(float(right), details)


@check(direction="at most", advice="Nothing to do.")
def first_loss(training: Training) -> float:
    """What is the first loss?"""
    return training.losses[0]


@hookimpl
def retspec_checks() -> list[Check]:
    """Offer the checks."""
    return [accuracy, first_loss]
