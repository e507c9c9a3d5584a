"""What a worker prints, by what it was making, and which criteria waited for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import Output
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retspec.engine.supervisor.streams import Span, Streams
    from retspec.records import Plan

STARTING = "starting the worker"
"""The source of what comes before the first criterion: the libraries and plugins that are imported."""
CHECKING = "the check itself"
"""The source of what comes while a criterion is at work, and nothing is made for it."""
_MODEL = ("model", "skeleton")
_MADE_OF = {
    "model": ("watched_run",),
    "trainer": ("watched_run",),
    "own_optimizers": ("watched_run", "model"),
    "epochs": ("ranked_run",),
    "skeleton": ("model",),
    "optional_skeleton": _MODEL,
    "build_again": _MODEL,
    "loaded": _MODEL,
    "batch": (*_MODEL, "dataset", "transforms"),
    "take_batch": (*_MODEL, "dataset", "transforms"),
    "feed": (*_MODEL, "dataset", "transforms"),
    "transforms": _MODEL,
    "loaders": ("watched_run",),
    "data_folders": ("dataset",),
}
"""The parts of a subject that others are made of: whatever waited for one has waited for those, too."""


class Printings:
    """The pieces of a worker's output while it does one job.

    What is made once is printed once, and kept with every criterion that waited for it.
    """

    def __init__(self, streams: Streams, plan: Plan) -> None:
        self._streams = streams
        self._mask = Mask(plan.spec.secrets)
        self._steps = {step.key: step for step in plan.measurements}
        self._checks = {step.criterion.id: step for step in plan.checks}
        self._pieces: dict[str, tuple[list[Span], list[Span]]] = {}
        self._own = STARTING

    def add(self, source: str, sizes: Sequence[int]) -> None:
        """Note what came from a source: all up to these sizes of the two files."""
        self._note(source, self._streams.until(*sizes))

    def add_rest(self, source: str) -> None:
        """Note that all that is left came from a source, which the worker did not live to report."""
        self._note(source, self._streams.rest())

    def of_criterion(self, name: str) -> tuple[Output, ...]:
        """Return what was printed by all that a criterion waited for, and by its own check."""
        sources = dict.fromkeys([STARTING, *self._waited_for(self._checks[name].inputs.values()), CHECKING])
        return tuple(output for output in map(self._output, sources) if output.stdout or output.stderr)

    def begin_criterion(self) -> None:
        """From now on, what comes while nothing is made is this criterion's own; the first one has the start, too."""
        self._pieces.pop(CHECKING, None)
        if self._own == CHECKING:
            self._pieces.pop(STARTING, None)
        self._own = CHECKING

    def _note(self, source: str, spans: Sequence[Span]) -> None:
        known = self._pieces.setdefault(source or self._own, ([], []))
        for pieces, span in zip(known, spans, strict=False):  # none at all, where output is shown at once
            pieces.append(span)

    def _waited_for(self, keys: Iterable[str]) -> Iterator[str]:
        """Yield measurements and parts of the subject, each after all that it needs."""
        for key in keys:
            step = self._steps.get(key)
            yield from self._waited_for(_MADE_OF.get(key, ()) if step is None else step.inputs.values())
            yield key

    def _output(self, source: str) -> Output:
        stdout, stderr = self._pieces.get(source, ((), ()))
        return Output(
            source=source,
            stdout=self._streams.text(0, stdout, self._mask),
            stderr=self._streams.text(1, stderr, self._mask),
        )
