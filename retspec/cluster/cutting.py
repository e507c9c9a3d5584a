"""Cut the cells of a run into tasks: those that share a base model stay together, so that a node makes it once."""

from __future__ import annotations

import hashlib
import heapq
from typing import TYPE_CHECKING

import msgspec

from retspec.records import plain
from retspec.results.provenance import subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.records import Plan


def cut(plans: Sequence[Plan], least: int) -> list[list[int]]:
    """Return the indices of the plans of each task, in order.

    least: how many tasks to make at least, as far as there are cells: the largest groups are halved.
    """
    groups: dict[object, list[int]] = {}
    for index, plan in enumerate(plans):
        groups.setdefault((plan.spec.file, plan.spec.base), []).append(index)
    tasks = [(-len(group), group) for group in groups.values()]
    heapq.heapify(tasks)
    while len(tasks) < least and len(largest := tasks[0][1]) > 1:
        middle = (len(largest) + 1) // 2
        first, second = largest[:middle], largest[middle:]
        heapq.heapreplace(tasks, (-len(first), first))
        heapq.heappush(tasks, (-len(second), second))
    return sorted(group for _, group in tasks)


def asked_of(plan: Plan) -> str:
    """Return a hash of what a plan measures: its subject and its criteria, without limits, names and place."""
    run = plan.spec.run
    criteria = [(step.criterion.id, step.criterion.check, plain(step.criterion.arguments)) for step in plan.checks]
    measured = (
        subject_of(plan.spec),
        criteria,
        run.device,
        run.seed_count,
        run.timeout,
        run.measurement_timeout,
        run.gallery,
    )
    return hashlib.sha256(msgspec.json.encode(measured, order="deterministic")).hexdigest()
