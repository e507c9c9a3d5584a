"""`OwnTraining`: the training of the user's own that a spec names, watched once in this process, or run on ranks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from retspec.facts import DistributedRun
    from retspec.plugin import Source
    from retspec.records import Spec
    from retspec.subjects.planting import Planting
    from retspec.subjects.training.launched_training import LaunchedTraining
    from retspec.subjects.training.making import Ended
    from retspec.subjects.training.watching.watched import WatchedRun


class OwnTraining:
    """The user's own training, if the spec names one.

    progress: called with its steps. making: entered while it runs. ended: looks at the model that it trained, or None.
    """

    def __init__(
        self,
        spec: Spec,
        sources: Mapping[str, Source],
        planting: Planting,
        *,
        progress: Callable[[int, int], None],
        making: Callable[[str], AbstractContextManager[object]],
        ended: Ended | None,
    ) -> None:
        self._spec, self._sources, self._planting = spec, sources, planting
        self._progress, self._making, self._ended = progress, making, ended

    @property
    def is_launched(self) -> bool:
        """Whether the training is the user's own, which brings its model and its data."""
        training = self._spec.training
        return training is not None and self._sources[training.source].launches

    @cached_property
    def _launched(self) -> LaunchedTraining:
        from retspec.subjects.training.launched_training import LaunchedTraining

        training = self._spec.training
        source = None if training is None else self._sources[training.source]
        return LaunchedTraining(self._spec, source, self._spec.train.steps, self._planting)

    @cached_property
    def watched_run(self) -> WatchedRun:
        """The training, run and watched; raises SubjectError when the spec names none."""
        launched = self._launched
        with self._making("watched_run"):
            return launched.watch(self._progress, self._ended)

    @cached_property
    def ranked_run(self) -> DistributedRun:
        """The training, run on several ranks; raises SubjectError when the spec names none."""
        launched = self._launched
        with self._making("ranked_run"):
            return launched.run_on_ranks()
