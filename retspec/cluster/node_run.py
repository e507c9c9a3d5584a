"""What a node measures for a task: the criteria that no earlier attempt has answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from retspec.cluster.assignment import Assignment, read_assignment
from retspec.cluster.attempts import RESULTS, answered, attempts, new_attempt, read_results
from retspec.cluster.cutting import asked_of
from retspec.errors import UsageError
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan

_CUDA = "cuda"


class NodeRun:
    """The task in a folder, as `run_all` needs it: which plans are measured, and where the results go.

    Raises UsageError for a folder that holds no task.
    """

    last_failed = False

    def __init__(self, folder: Path) -> None:
        self.assignment: Assignment = read_assignment(folder)
        earlier = [report for attempt in attempts(folder) if (report := read_results(attempt))]
        done = {(cell, result.criterion.id) for report in earlier for cell, result in answered(report)}
        self._left = {
            cell: [criterion for criterion in criteria if (cell, criterion) not in done]
            for cell, criteria in self.assignment.criteria.items()
        }
        self.attempt = new_attempt(folder)

    @property
    def cells(self) -> list[str]:
        """The cells with something left to measure; without a matrix, none has a name."""
        return [cell for cell in self._names if cell]

    @property
    def is_done(self) -> bool:
        """Whether earlier attempts have left nothing."""
        return not self._names

    @property
    def _names(self) -> list[str]:
        return [cell for cell, criteria in self._left.items() if criteria]

    def chosen(self, prepared: Sequence[tuple[Sequence[Plan], Catalog]]) -> list[tuple[list[Plan], Catalog]]:
        """Return what is left of the plans.

        Raises UsageError where this node would measure something else than the front end asks for.
        """
        ((plans, catalog),) = prepared
        self._require_versions(catalog.versions)
        return [([self._left_of(plan) for plan in plans if plan.spec.cell in self._names], catalog)]

    def _require_versions(self, here: Mapping[str, str]) -> None:
        there = self.assignment.versions
        others = [
            f"{name} {here.get(name, 'is not there')} instead of {there.get(name, 'none')}"
            for name in sorted({*here, *there})
            if here.get(name) != there.get(name)
        ]
        if others:
            raise UsageError(f"this node has {listing(others)}; install the same versions on all nodes")

    def _left_of(self, plan: Plan) -> Plan:
        cell = plan.spec.cell
        asked = plan.restricted_to(self.assignment.criteria[cell])
        if asked_of(asked) != self.assignment.asks[cell]:
            raise UsageError("the spec, or what it refers to, is not the one that was submitted; run it again")
        run = plan.spec.run
        if self.assignment.gpus and run.device == "auto":
            run = replace(run, device=_CUDA)
        if self.assignment.cores and not run.threads:
            run = replace(run, threads=self.assignment.cores)
        left = asked.restricted_to(self._left[cell])
        return replace(left, spec=replace(plan.spec, run=run), skipped=())

    def ended(self, prepared: Sequence[tuple[Sequence[Plan], Catalog]]) -> list[None]:
        """Return nothing: what earlier attempts have answered is not asked for."""
        return [None] * len(prepared)

    def files(
        self, prepared: Sequence[tuple[Sequence[Plan], Catalog]], named: Sequence[Mapping[str, str | Path]]
    ) -> list[dict[str, str | Path]]:
        """Return the results of this attempt as the only report."""
        return [{**given, "json": self.attempt / RESULTS} for given, _ in zip(named, prepared, strict=True)]

    def proofs(self) -> list[None]:
        """Return nothing: the front end has what `retspec prove` has found."""
        return [None]

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""
