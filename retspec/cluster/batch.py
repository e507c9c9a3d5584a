"""Measure the cells of a run by an engine: the counterpart of the lanes of this machine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.cluster.assignment import Assignment
from retspec.cluster.cutting import asked_of, cut
from retspec.cluster.following import Followed, Following
from retspec.cluster.node_results import NodeResults
from retspec.cluster.run_folder import run_folder
from retspec.engine.protocol import Finished
from retspec.errors import ReportError, UsageError
from retspec.executors import Phase
from retspec.report.kept import REPORTS

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from retspec.cluster.node_results import Event
    from retspec.cluster.run_folder import RunFolder
    from retspec.executors import Engine
    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan


@dataclass(frozen=True)
class Given:
    """The options of a run that a node needs to make the same plans."""

    overrides: Sequence[str] = ()
    plugins: Sequence[str] = ()
    """Those that the options name; the specs name theirs."""
    entry_points: bool = True


@dataclass(frozen=True)
class Batch:
    """The cells of a run that one engine measures.

    least: how many tasks to make at least. below: the folder of all reports, in which the folders of tasks are.
    """

    cells: Sequence[tuple[Plan, Catalog]]
    given: Given
    least: int = 1
    below: Path = REPORTS

    def events(self, *, resume: bool = False) -> Generator[Event]:
        """Return what happens to each cell. Closing it cancels the tasks.

        resume: take up the run of the same specs that was ended.

        Raises UsageError for specs that no node can read. While it is read, it raises EngineError if the engine takes
        no task, ReportError if their folders cannot be written, and Interrupted.
        """
        return self._events(self._executor(), resume=resume)

    def _events(self, name: str, *, resume: bool) -> Generator[Event]:
        engine: Engine = self.cells[0][1].executors[name](**self.cells[0][0].spec.run.resources)
        with run_folder([Path(plan.spec.file) for plan, _ in self.cells], self.below) as folder:
            try:
                following = Following(engine, name, self._submitted(engine, folder, resume=resume))
            except OSError as error:
                raise ReportError(f"cannot write the tasks to {folder.path}: {error.strerror}") from error
            lacks_some = False
            with closing(following.events()) as events:
                for index, event in events:
                    lacks_some |= isinstance(event, Finished) and event.outcome.failure is not None
                    yield index, event
            if not lacks_some:
                folder.remove()

    def _executor(self) -> str:
        names = sorted({plan.spec.run.executor for plan, _ in self.cells})
        if len(names) > 1:
            raise UsageError(f"the specs name several executors ({', '.join(names)}); choose one with --executor")
        for plan, _ in self.cells:
            if not Path(plan.spec.file).is_file():
                raise UsageError(f"{names[0]}: {plan.spec.file} is no file, so no other machine can read it")
        return names[0]

    def _submitted(self, engine: Engine, folder: RunFolder, *, resume: bool) -> list[Followed]:
        """Submit each task that the engine does not have and no node has done, and return all tasks."""
        groups = cut([plan for plan, _ in self.cells], self.least)
        assignments = [self._assignment(indices) for indices in groups]
        handles: dict[str, str] = {}
        if resume and folder.assignments:
            handles = _taken_up(engine, folder, assignments)
        else:
            _begin(engine, folder, assignments)
        followed = [
            Followed(task, handles.get(task.name, ""), self._results(task.folder, indices))
            for task, indices in zip(folder.tasks(Path.cwd()), groups, strict=True)
        ]
        for each in followed:
            each.results.read()
        lacking = [each.task for each in followed if not each.handle and not each.results.is_complete]
        if lacking:
            handles |= engine.submit(lacking)
            folder.keep(handles)
        for each in followed:
            each.handle = handles.get(each.task.name, "")
        return followed

    def _assignment(self, indices: Sequence[int]) -> Assignment:
        plans = [self.cells[index][0] for index in indices]
        catalog, run = self.cells[indices[0]][1], plans[0].spec.run
        defaults = {name: each.default for name, each in catalog.executors[run.executor].arguments.items()}
        resources = {**defaults, **run.resources}
        return Assignment(
            versions=dict(catalog.versions),
            spec=plans[0].spec.file,
            criteria={plan.spec.cell: tuple(step.criterion.id for step in plan.checks) for plan in plans},
            asks={plan.spec.cell: asked_of(plan) for plan in plans},
            overrides=tuple(self.given.overrides),
            plugins=tuple(self.given.plugins),
            entry_points=self.given.entry_points,
            gpus=resources.get("gpus", 0),
            cores=resources.get("cores", 0),
        )

    def _results(self, folder: Path, indices: Sequence[int]) -> NodeResults:
        cells = [(index, self.cells[index][0]) for index in indices]
        criteria = {(plan.spec.cell, step.criterion.id): index for index, plan in cells for step in plan.checks}
        return NodeResults(folder, criteria)


def _begin(engine: Engine, folder: RunFolder, assignments: Sequence[Assignment]) -> None:
    """Make the folder that of these assignments; what an earlier run left behind is cancelled."""
    if handles := folder.handles:
        engine.cancel([*handles.values()])
    folder.clear()
    folder.assign(assignments)


def _taken_up(engine: Engine, folder: RunFolder, assignments: Sequence[Assignment]) -> dict[str, str]:
    """Return the handles of the tasks that the engine still has of the run that is resumed.

    Raises UsageError if that run is another one.
    """
    if [each.asks for each in folder.assignments] != [each.asks for each in assignments]:
        raise UsageError("--resume: the specs ask for other things than the run that ended; run without it")
    handles = folder.handles
    states = engine.states([*handles.values()]) if handles else {}
    return {name: handle for name, handle in handles.items() if states[handle].phase is not Phase.ENDED}
