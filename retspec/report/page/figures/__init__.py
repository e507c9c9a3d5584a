"""Figures of the facts that results hold. Facts of another shape, such as a plugin's, have none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from retspec import facts
from retspec.facts.reruns import TwoRuns
from retspec.report.page.figures.contents import (
    agreement_figures,
    checkpoint_figures,
    merging_figures,
    parameters_figures,
    ranks_figures,
    splits_figures,
)
from retspec.report.page.figures.figure import Figure, Table
from retspec.report.page.figures.loop import loop_figures
from retspec.report.page.figures.memory import estimate_figures, fit_figures, flops_figures, memory_figures
from retspec.report.page.figures.predictions import statistic_figures
from retspec.report.page.figures.runs import overfitting_figures, two_runs_figures
from retspec.report.page.figures.timing import (
    compilation_figures,
    loader_figures,
    profile_figures,
    stages_figures,
    wait_figures,
)
from retspec.report.page.figures.training import training_figures

if TYPE_CHECKING:
    from retspec.records import Measured

__all__ = ["Figure", "Table", "figures_of"]


@dataclass(frozen=True)
class _Drawn:
    """The facts of a measurement, and what draws them."""

    facts: Any
    draw: Callable[[Any], Iterable[Figure]]


_STATISTICS = (
    *("auroc", "calibration", "class_recalls", "dice_scores", "label_aurocs", "paired_difference"),
    *("subgroup_gaps", "weighted_kappa"),
)
_DRAWN = {
    **dict.fromkeys(_STATISTICS, _Drawn(facts.Statistic, statistic_figures)),
    "accumulation": _Drawn(facts.GradientAgreement, agreement_figures),
    "blank_training": _Drawn(facts.Training, training_figures),
    "checkpoint": _Drawn(facts.Checkpoint, checkpoint_figures),
    "compilation": _Drawn(facts.Compilation, compilation_figures),
    "data_wait": _Drawn(facts.DataWait, wait_figures),
    "loader": _Drawn(facts.Loader, loader_figures),
    "loop": _Drawn(facts.Loop, loop_figures),
    "memory": _Drawn(facts.Memory, memory_figures),
    "memory_estimate": _Drawn(facts.MemoryEstimate, estimate_figures),
    "memory_fit": _Drawn(facts.MemoryFit, fit_figures),
    "merging": _Drawn(facts.Merging, merging_figures),
    "overfitting": _Drawn(facts.Overfitting, overfitting_figures),
    "parameters": _Drawn(facts.Parameters, parameters_figures),
    "precision": _Drawn(facts.GradientAgreement, agreement_figures),
    "profile": _Drawn(facts.Profile, profile_figures),
    "ranks": _Drawn(facts.Ranks, ranks_figures),
    "resumed_run": _Drawn(TwoRuns, two_runs_figures),
    "second_run": _Drawn(TwoRuns, two_runs_figures),
    "splits": _Drawn(facts.Splits, splits_figures),
    "stages": _Drawn(facts.Stages, stages_figures),
    "step_flops": _Drawn(facts.StepFlops, flops_figures),
    "training": _Drawn(facts.Training, training_figures),
}
"""By the name of the measurement."""


def figures_of(measured: Measured) -> list[Figure]:
    """Return the figures of a measurement; none for facts that are not drawn, or of which no figure can be made."""
    drawn = _DRAWN.get(measured.key.partition("(")[0])
    if drawn is None or measured.facts is None:
        return []
    try:
        return [*drawn.draw(msgspec.convert(measured.facts, drawn.facts, strict=False))]
    except msgspec.ValidationError:  # of an earlier or a later retspec
        return []
