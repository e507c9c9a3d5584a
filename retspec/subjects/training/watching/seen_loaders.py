"""The loaders of a watched training, as a spec names loaders: what fed it is `train`, what fed evaluations is `val`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.subjects.data.user_loaders import UserLoader, UserLoaders
from retspec.subjects.training.watching.reading import evaluated_roots, root_key

if TYPE_CHECKING:
    from retspec.subjects.training.watching.watch import Watch

SWEEP = 50
"""Batches of each to look at, as many as `data.sweep` is by default."""
_PLACE = "train"


def loaders_of(watch: Watch) -> UserLoaders:
    """Return the loaders that a watched training showed.

    Raises Inconclusive when not one DataLoader fed the training; without one for validation, what asks for it does.
    """
    found = watch.forwards.feeders.training(root_key(watch))
    if len(found) != 1:
        raise Inconclusive(f"{watch.launch.command}: {_why_no_train(watch, len(found))}")
    (train,) = found
    validating = watch.forwards.feeders.evaluating(evaluated_roots(watch), train)
    training = UserLoader("train", train, _PLACE)
    criterion = watch.criteria.first
    classes = None if criterion is None else criterion.classes
    if len(validating) != 1:
        return UserLoaders(training, None, SWEEP, _why_no_val(watch, len(validating)), classes)
    return UserLoaders(training, UserLoader("val", validating[0], _PLACE), SWEEP, classes=classes)


def _why_no_train(watch: Watch, found: int) -> str:
    if found:
        return f"{found} DataLoaders fed its training together, and which of them is `train` is not known"
    if not watch.waits.batches:
        return "no DataLoader gave a batch"
    return "no batch of a DataLoader came before a forward pass of what trains"


def _why_no_val(watch: Watch, found: int) -> str:
    if found:
        return f"{found} DataLoaders fed evaluations, and which of them is `val` is not known"
    if not any(watch.forwards.evaluations[key] for key in evaluated_roots(watch)):
        more = f"then {watch.ending}" if watch.ending else f"raise `train.steps`, now {watch.requested}"
        return f"no forward pass without gradients in the watched steps; {more}"
    return "no evaluation in eval mode read a DataLoader over another dataset than the one that trains"
