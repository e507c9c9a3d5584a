"""How far the gradients of the ranks are from those of one process."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive
from retspec.facts.distributed import RankDeviation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

Gradients = Mapping[str, "Tensor"]
_MOMENTS = ("after_backward", "before_clip", "at_step")
_FLOOR = 1e-2
"""Share of the norm of all gradients below which a parameter's counts as this much: one that is truly zero is noise."""
_EQUAL = 1e-3
"""Relative distance up to which gradients are taken for the same ones."""


def deviations_of(reference: Gradients, records: Sequence[Mapping[str, Any]]) -> Iterator[RankDeviation]:
    """Give the deviation of each gradient on each rank.

    records: what `FirstStep.record` returned on each rank.

    A rank is judged by its gradients after the backward passes, before torch's clipping, or at the step, whichever are
    nearest: a loop that averages them by itself does so in between, and may clip them then. Raises Inconclusive where
    they are averaged and then scaled in another way than by torch's clipping.
    """
    total = sum(float(g.double().norm()) ** 2 for g in reference.values()) ** 0.5
    if not total or not isfinite(total):
        raise Inconclusive("the gradient of one process is zero or not finite; see `dead_gradients`")
    _require_known_scaling(reference, records)
    for rank, record in enumerate(records):
        found = [_relative(reference, record[key], total) for key in _MOMENTS if record[key]]
        if not found:
            raise Inconclusive(f"rank {rank} had no gradient at its first step; see `steps_without_backward`")
        nearest = min(found, key=lambda each: max(each.values()))
        yield from (RankDeviation(rank, name, value) for name, value in nearest.items())


def _relative(reference: Gradients, given: Gradients, total: float) -> dict[str, float]:
    return {
        name: float((given[name] - wanted if name in given else wanted).double().norm())
        / max(float(wanted.double().norm()), _FLOOR * total)
        for name, wanted in reference.items()
    }


def _require_known_scaling(reference: Gradients, records: Sequence[Mapping[str, Any]]) -> None:
    """Raise Inconclusive where a loop averages by itself, and the mean is smaller at the step by one factor.

    Its own clipping does that, and so does a division too many.
    """
    at_step = records[0]["at_step"]
    by_hand = _agree([each["at_step"] for each in records]) and not _agree([each["after_backward"] for each in records])
    if not by_hand or any(each["before_clip"] for each in records):
        return
    squared = sum(float(g.double().square().sum()) for g in reference.values())
    factor = sum(float((at_step[n] * g).double().sum()) for n, g in reference.items() if n in at_step) / squared
    scaled = {name: gradient * factor for name, gradient in reference.items()}
    if _EQUAL < factor < 1 - _EQUAL and _distance(scaled, at_step) < _EQUAL:
        raise Inconclusive(
            f"the loop averages the gradients of its ranks by itself, and at the step they are {factor:.3g} times "
            "those of one process: by a clipping of its own, or by a division too many; clip by "
            "`torch.nn.utils.clip_grad_norm_`, which is seen"
        )


def _agree(gradients: Sequence[Gradients]) -> bool:
    return all(_distance(gradients[0], other) < _EQUAL for other in gradients[1:])


def _distance(wanted: Gradients, given: Gradients) -> float:
    """Return the distance of all gradients together, relative to the norm of those that are wanted."""
    if wanted.keys() - given.keys():
        return float("inf")
    total = sqrt(sum(float(g.double().square().sum()) for g in wanted.values()))
    apart = sqrt(sum(float((given[name] - g).double().square().sum()) for name, g in wanted.items()))
    return apart / total if total else apart
