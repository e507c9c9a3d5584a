"""The container of measurements: makes each once, remembers failures too, cleans up in reverse order."""

from __future__ import annotations

import inspect
import traceback
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.engine.protocol import Made, Noted, Progress
from retspec.plugins.kinds import MADE_TRAINING, PARTS
from retspec.records import Measured, NestingError, plain
from retspec.subjects.seeds import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retspec.engine.worker.channel import Sender
    from retspec.engine.worker.recording import Recording
    from retspec.facts import Warned
    from retspec.plugins.catalog import Catalog
    from retspec.plugins.signatures import Argument
    from retspec.records import MeasurementStep, Plan
    from retspec.subjects.subject import Subject


SLOW_PARTS = {"model", "skeleton", "batch", "dataset", "feed", "watched_run", "ranked_run"}
"""Parts of the subject that take long enough to report their progress."""


class Container:
    """Facts by the key of their measurement.

    A measurement may be a generator function: the code after its `yield` runs when the container closes.

    After each measurement the model is held against its seal. One that is not what it was is built again, so that no
    measurement is answered from what another one left.
    """

    def __init__(self, plan: Plan, catalog: Catalog, subject: Subject, channel: Sender, recording: Recording) -> None:
        self._steps = {step.key: step for step in plan.measurements}
        self._seed = plan.spec.run.seed
        self._catalog = catalog
        self._subject = subject
        self._channel = channel
        self._printing, self._warnings = recording.printing, recording.warnings
        self._facts: dict[str, Any] = {}
        self._failures: dict[str, Exception] = {}
        self._touched = False
        self._is_first_model = True
        self._unwinding = ExitStack()
        self._unwinding.callback(subject.give_back)

    def facts(self, key: str) -> Any:
        """Return the facts of a measurement, or a part of the subject; made at the first call.

        Raises what making them raised, again at every call, and Spoilt when the model cannot be built again as it was.
        """
        if key in self._failures:
            raise self._failures[key]
        if key not in self._facts:
            try:
                self._facts[key] = self._part(key) if key in PARTS else self._make(self._steps[key])
            except Exception as error:
                _let_go(error)
                self._failures[key] = error
                self._keep_model(thorough=True)
                raise
            self._keep_model(thorough=False)
        return self._facts[key]

    def _keep_model(self, *, thorough: bool) -> None:
        """Let the next measurement get a model that is built again, if one that ran has changed it."""
        if self._touched and not self._subject.keeps_model(thorough=thorough):
            self._facts.pop("model", None)
            self._is_first_model = False
        self._touched = False

    def close(self) -> None:
        """Clean up the measurements in reverse order.

        Raises what one of them raises, after the others have cleaned up too.
        """
        self._unwinding.close()

    def _part(self, name: str) -> Any:
        if name in {"progress", MADE_TRAINING}:
            return None  # a measurement gets its own when it is made
        if name == "recorded_warnings":
            return self._recorded_warnings
        if name in SLOW_PARTS:
            self._channel.send(Progress(name))
        with self._printing.of(name):
            return getattr(self._subject, name)

    def _make(self, step: MeasurementStep) -> Any:
        measurement = self._catalog.measurements[step.name]
        inputs = self._inputs(step)
        self._channel.send(Progress(step.key))
        started = perf_counter()
        with self._printing.of(step.key), seeded(self._seed, only_loaded=not step.needs_torch):
            self._touched = True
            facts = self._call(measurement.function, inputs, typed(measurement.arguments, step.arguments))
        seconds = perf_counter() - started
        measured = Measured(key=step.key, facts=_recordable(facts), seconds=seconds, criteria=step.criteria)
        self._channel.send(Made(measured))
        if notes := getattr(facts, "notes", ()):
            self._channel.send(Noted(tuple(map(str, notes))))
        return facts

    def _inputs(self, step: MeasurementStep) -> list[Any]:
        """Return what a measurement reads; the parts last, as another measurement may have spoilt the model."""
        made = {source: self.facts(source) for source in step.inputs.values() if source not in PARTS}
        parts = {source: self.facts(source) for source in step.inputs.values() if source in PARTS}
        # A training that spoilt its model may owe what it came to to that: what comes after it has another model.
        made_training = self._facts.get("training") if self._is_first_model else None
        own = {"progress": self._progress(step.key), MADE_TRAINING: made_training}
        return [(made | parts | own)[source] for source in step.inputs.values()]

    def _call(self, function: Callable[..., Any], inputs: list[Any], arguments: dict[str, Any]) -> Any:
        if not inspect.isgeneratorfunction(function):
            return function(*inputs, **arguments)
        return self._unwinding.enter_context(contextmanager(function)(*inputs, **arguments))

    def _recorded_warnings(self) -> Warned:
        made = (key for key, facts in self._facts.items() if facts is not None and key != "recorded_warnings")
        return self._warnings.facts(made=tuple(made), failed=tuple(self._failures))

    def _progress(self, key: str) -> Callable[[int, int], None]:
        return lambda step, total: self._channel.send(Progress(key, step, total))


def _let_go(error: BaseException | None) -> None:
    """Drop the local variables that an error keeps alive: after "out of memory" they are what filled it."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def typed(declared: Mapping[str, Argument], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments in their declared types: JSON has no integer keys and no tuples.

    One that the recipe leaves open is None, whatever its type: the rate beside an optimizer of the user's own.
    """
    return {
        name: None if value is None else msgspec.convert(value, declared[name].type, strict=False)
        for name, value in given.items()
    }


def _recordable(facts: Any) -> Any:
    """Return facts as plain data, or None for those that cannot be recorded, such as tensors."""
    try:
        return plain(msgspec.to_builtins(facts, str_keys=True))
    except (TypeError, NestingError, RecursionError):
        return None
