"""The training of the user's own that a spec names: what starts it, and running it, watched or on ranks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.errors import DoesNotApply, SubjectError
from retspec.plugins.kinds import MODEL, OWN_TRAINING
from retspec.plugins.loading import importable_name
from retspec.subjects.planting import Planting
from retspec.subjects.training.watching.planting import FaultInTraining
from retspec.subjects.training.watching.ranks.running import run_on_ranks
from retspec.subjects.training.watching.rerun import Rerun, place_of_fault
from retspec.subjects.training.watching.watched import WatchedRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import DistributedRun
    from retspec.plugin import Source
    from retspec.records import Spec
    from retspec.subjects.training.making import Ended
    from retspec.subjects.training.watching.launching import Launch


class LaunchedTraining:
    """Runs it; raises SubjectError when the spec names none.

    source: what the section `train` names; None for the recipe.
    steps: optimizer steps after which it is ended.
    planting: of a fault into it, while it runs, or into the module that it makes.
    """

    def __init__(self, spec: Spec, source: Source | None, steps: int, planting: Planting | None = None) -> None:
        if spec.training is None or source is None or not source.launches:
            raise SubjectError(
                "this needs a training of your own; name it as `train: {script: train.py}`", path="train"
            )
        import torch

        self._source, self._planting = source, planting or Planting()
        self._unfit: DoesNotApply | None = None
        fault = self._planting.changes(OWN_TRAINING) or self._planting.changes(MODEL)
        self._launched = Rerun(
            source=source.name,
            module=importable_name(sys.modules[source.function.__module__]),
            function=source.function.__name__,
            value=spec.training.value,
            folder=str(Path(spec.file).resolve().parent),
            steps=steps,
            threads=torch.get_num_threads(),
            arguments=dict(spec.training.arguments),
            fault="" if fault is None else place_of_fault(fault),
            seed=spec.run.seed,
        )

    def watch(self, progress: Callable[[int, int], None], ended: Ended | None = None) -> WatchedRun:
        """Run it in this process, watched; `ended` looks at the module that it trained.

        Raises DoesNotApply, once for all, when it cannot have the fault.
        """
        if self._unfit is not None:
            raise self._unfit
        fault = FaultInTraining(self._planting)
        try:
            with fault.during(self._launch()) as launch:
                run = WatchedRun.of(launch, self._launched, progress, ended)
                fault.require_seen(run.watch)
                return run
        except DoesNotApply as error:
            self._unfit = error
            raise

    def run_on_ranks(self) -> DistributedRun:
        """Run it on several ranks; raises SubjectError when the spec does not say on how many."""
        ranks = self._launched.arguments.get("ranks")
        if ranks is None:
            raise SubjectError("this needs a training on several ranks; say how many as `train.ranks: 2`", path="train")
        self._launch()  # what the spec names wrongly is said at its place, not by a rank that dies of it
        return run_on_ranks(self._launched, ranks)

    def _launch(self) -> Launch:
        launched = self._launched
        launch: Launch = self._source(launched.value, Path(launched.folder), **launched.arguments)
        return launch
