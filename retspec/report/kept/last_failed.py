"""Which criteria were not met the last time that they had their turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.records import Plan
    from retspec.report.kept.history import Run

_SETTLED = frozenset({Verdict.MET, Verdict.SKIPPED})


def without_met(plans: Sequence[Plan], runs: Sequence[Run]) -> tuple[list[Plan], list[str]]:
    """Return the plans without what was met last time, and a remark if that is everything, or nothing is known.

    runs: the earlier ones of the spec, the newest last. A criterion counts by the last run in which it had its turn;
    one that no run knows is kept.
    """
    met = _met(runs)
    chosen = [
        plan.restricted_to({step.criterion.id for step in plan.checks if step.criterion.name not in met})
        for plan in plans
    ]
    left = [replace(plan, skipped=()) for plan in chosen if plan.checks]
    if not runs or not left:
        why = "nothing failed last time" if runs else "there are no earlier results of this spec"
        return [*plans], [f"--last-failed: {why}, so every selected criterion was measured"]
    fewer = len(plans) - len(left)
    return [_with_unselected(plan, fewer) for plan in left], []


def _with_unselected(plan: Plan, cells: int) -> Plan:
    return replace(plan, spec=replace(plan.spec, unselected_cells=plan.spec.unselected_cells + cells))


def _met(runs: Sequence[Run]) -> set[str]:
    last = {
        name: seen.verdict for run in runs for name, seen in run.criteria.items() if seen.verdict is not Verdict.NOT_RUN
    }
    return {name for name, verdict in last.items() if verdict in _SETTLED}
