"""What may look wrong in a training of which nothing is known: checks with a limit that holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.plugins.catalog import Catalog

_CHECKS = (
    *("unowned_params", "foreign_params", "idle_groups", "scheduler_steps", "loss_weight_rtol", "stale_gradients"),
    *("steps_without_backward", "clip_factor", "eval_mode_leaves", "train_mode_validations", "criterion_input"),
    *("decayed_vectors", "repeated_batches"),
    *("nonfinite_steps", "nonfinite_gradients", "dead_gradients", "frozen_drift"),
)
_A_RECIPE_FOR_SOME = {"decayed_vectors"}
"""What many trainings do on purpose: it only warns."""
_LEAST_THAT_TRAINS = {"check": "min_trainable_params", "limit": 1}


def suspicions(catalog: Catalog) -> Mapping[str, Mapping[str, object]]:
    """Return the criteria by id: each check with its own limit."""
    criteria: dict[str, Mapping[str, object]] = {"min_trainable_params": _LEAST_THAT_TRAINS}
    for name in _CHECKS:
        if name not in catalog.checks: continue  # TODO
        severity = Severity.WARN if name in _A_RECIPE_FOR_SOME else Severity.ERROR
        criteria[name] = {"limit": catalog.checks[name].default_limit, "severity": severity.value}
    return criteria
