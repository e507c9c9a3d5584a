"""What may look wrong in a training of which nothing is known: checks with a limit that holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.facts import Loop
    from retspec.plugins.catalog import Catalog
    from retspec.records import Outcome, Value

AUGMENTS = "train_loader_augments"
_CHECKS = (
    *("unowned_params", "foreign_params", "idle_groups", "loss_weight_rtol", "stale_gradients"),
    *("steps_without_backward", "backwards_without_step", "clip_factor", "eval_mode_leaves"),
    *("train_mode_validations", "criterion_input", "decayed_vectors", "repeated_batches", "epoch_order_repeats"),
    *("val_loader_augments", AUGMENTS, "nonfinite_steps", "nonfinite_gradients", "dead_gradients", "frozen_drift"),
)
_LIMITS = {"min_trainable_params": 1, "scheduler_steps": 1}
"""Of checks that have none of their own."""
_A_RECIPE_FOR_SOME = {"decayed_vectors", "epoch_order_repeats", "backwards_without_step"}
"""What many trainings do on purpose, as those on one whole batch repeat their order: it only warns."""


def suspicions(catalog: Catalog) -> Mapping[str, Mapping[str, Value | None]]:
    """Return the criteria by id: checks with a limit that holds for every training."""
    limits = {**_LIMITS, **{name: catalog.checks[name].default_limit for name in _CHECKS}}
    severity = {name: Severity.WARN if name in _A_RECIPE_FOR_SOME else Severity.ERROR for name in limits}
    return {name: {"limit": limit, "severity": severity[name].value} for name, limit in limits.items()}


def is_a_matter_of_taste(outcome: Outcome, loop: Loop) -> bool:
    """Whether an observation is right for some trainings.

    A schedule that counts epochs steps less than once a step, not every training augments, and what is no choice of
    one class may be summed on purpose: the loss of a variational autoencoder is (https://arxiv.org/abs/1312.6114).
    """
    if outcome.id == AUGMENTS:
        return True
    if outcome.id == "loss_weight_rtol":
        return loop.criterion is not None and loop.criterion.reduction == "sum" and loop.criterion.classes is None
    value = outcome.observed.value if outcome.observed else None
    return outcome.id == "scheduler_steps" and isinstance(value, float | int) and value < 1
