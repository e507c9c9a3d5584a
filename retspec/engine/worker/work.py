"""Do a job: one criterion after another, with every failure as an outcome."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from contextlib import closing
from numbers import Integral, Real
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line, visible
from retspec.engine.protocol import Done, Environment, Finished, Noted, Pictured, Progress, Renew, Started
from retspec.engine.worker.container import Container, typed
from retspec.engine.worker.printing import Printing
from retspec.engine.worker.recording import Recording
from retspec.errors import (
    DoesNotApply,
    Inconclusive,
    NoVerdict,
    Spoilt,
    SubjectError,
    describe,
    files_shown_from,
    named,
    origin_of,
)
from retspec.own_modules import own_modules
from retspec.plugins.catalog import gather
from retspec.records import Interval, NestingError, Observed, Outcome, Verdict, plain
from retspec.subjects.callables import allow_imports_from
from retspec.subjects.devices import make_repeatable
from retspec.subjects.models.forward_arguments import about_signature
from retspec.subjects.recorded_warnings import WarningRecorder
from retspec.subjects.subject import Subject
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.engine.protocol import Job
    from retspec.engine.worker.channel import Sender
    from retspec.errors import Mark
    from retspec.plugins.catalog import Catalog
    from retspec.records import CheckStep, Spec
    from retspec.subjects.models.base_models import BaseModels

LONGEST_REASON, LONGEST_TRACE = 10_000, 500_000
"""Characters of what an exception says, and of its traceback, that are kept."""


def work(
    job: Job,
    channel: Sender,
    bases: BaseModels | None = None,
    gathering: Callable[..., Catalog] = gather,
    recorder: WarningRecorder | None = None,
) -> None:
    """Send one outcome for every criterion of the job, then clean up and send `Done`.

    It ends with `Renew` instead, before the next outcome, when the model cannot be given back as it was.

    bases: base models that an earlier job of this process left for the next one.
    gathering: `gather`, or a cached version of it for several jobs with the same plugins.
    recorder: of the warnings of this process; it knows what cannot come up again for a later job.
    """
    recorder = recorder or WarningRecorder()
    with (
        closing(Printing(channel)) as printing,
        recorder.job(job.plan.spec.base, resumed=job.resumed),
        files_shown_from(Path(job.plan.spec.file).parent),
    ):
        allow_imports_from(*job.plan.spec.folders, Path.cwd())
        _answer(job, channel, Recording(printing, recorder), bases, gathering)


def _answer(
    job: Job, channel: Sender, recording: Recording, bases: BaseModels | None, gathering: Callable[..., Catalog]
) -> None:
    catalog = gathering(job.plugins, entry_points=job.entry_points)
    subject = _subject(job, catalog, channel, recording, bases)
    container = Container(job.plan, catalog, subject, channel, recording)
    if job.plan.needs_torch:
        make_repeatable(job.plan.spec.run.threads)
        channel.send(Environment(_environment(subject)))
    try:
        for step in job.plan.checks:
            recording.printing.report()
            channel.send(Started(step.criterion.id))
            outcome = _outcome(step, catalog, container, job.plan.spec)
            recording.printing.report()
            _send_outcome(channel, outcome)
    except Spoilt:
        _close(container)
        channel.send(Renew())
        return
    except BaseException:  # in a worker, it ends the process; in the process of the user, that goes on
        _close(container)
        raise
    channel.send(Done(_close(container), own_modules(), unplanted=subject.lacks_fault))


def _subject(job: Job, catalog: Catalog, channel: Sender, recording: Recording, bases: BaseModels | None) -> Subject:
    return Subject(
        job.plan.spec,
        model_sources=catalog.model_sources,
        data_sources=catalog.data_sources,
        training_sources=catalog.training_sources,
        weights=job.plan.needs_weights,
        fault=catalog.faults.get(job.plan.spec.run.fault),
        bases=bases,
        keep=job.more,
        progress=lambda step, total: channel.send(Progress("watched_run", step, total)),
        making=recording.printing.of,
        note=lambda notes: channel.send(Noted(notes)),
        show=lambda pictures: channel.send(Pictured(pictures)),
    )


def _send_outcome(channel: Sender, outcome: Outcome) -> None:
    """Send an outcome; one that is too large, or that JSON cannot carry, is an error of that criterion."""
    try:
        channel.send(Finished(outcome))
    except (OverflowError, ValueError, NoVerdict) as error:
        why = str(error) if isinstance(error, NoVerdict) else describe(error)  # an integer of 5000 digits, say
        reason = f"the outcome cannot be recorded: {why}"
        channel.send(Finished(Outcome(id=outcome.id, failure=Verdict.ERROR, reason=reason, seconds=outcome.seconds)))


def _environment(subject: Subject) -> dict[str, str]:
    import torch

    try:
        device = subject.device
    except SubjectError:
        return {"device": "none", "threads": str(torch.get_num_threads())}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return {
        "device": f"{device} ({name})" if name else str(device),
        "threads": str(torch.get_num_threads()),
        "checkpoint_sha256": _hash(lambda: subject.checkpoint_sha256),
        "adapter_sha256": _hash(lambda: subject.adapter_sha256),
    }


def _hash(read: Callable[[], str]) -> str:
    try:
        return read()
    except (SubjectError, OSError):
        return ""  # every criterion that needs the model reports it


def _outcome(step: CheckStep, catalog: Catalog, container: Container, spec: Spec) -> Outcome:
    started = perf_counter()
    try:
        observed, failure = _observe(step, catalog, container), None
    except Exception as error:  # noqa: BLE001 - what a check or a model raises is an outcome and must not end the run
        observed, failure = None, error
    seconds = perf_counter() - started
    if failure is None:
        return Outcome(id=step.criterion.id, observed=observed, seconds=seconds)
    verdict, mask = _verdict(failure), Mask(spec.secrets)
    limit = spec.run.memory if verdict is Verdict.OUT_OF_MEMORY else None
    hint = f"; run.memory limits the worker to {limit}" if limit else ""
    return Outcome(
        id=step.criterion.id,
        failure=verdict,
        reason=one_line(mask.first(_reason(failure, spec.marks, step.criterion.mark), LONGEST_REASON) + hint),
        trace=visible(mask.first("".join(traceback.format_exception(failure)), LONGEST_TRACE)),
        seconds=seconds,
        unfit=isinstance(failure, DoesNotApply),
    )


def _observe(step: CheckStep, catalog: Catalog, container: Container) -> Observed[Any]:
    check = catalog.checks[step.criterion.check]
    facts = [container.facts(key) for key in step.inputs.values()]
    return _observed(check.function(*facts, **typed(check.arguments, step.arguments)))


def _verdict(error: Exception) -> Verdict:
    if isinstance(error, Inconclusive):
        return Verdict.INCONCLUSIVE
    return Verdict.OUT_OF_MEMORY if _is_out_of_memory(error) else Verdict.ERROR


_CRITERION = "checks"
"""The place of an error about what a criterion says: a measurement does not know for which one it is made."""


def _reason(error: Exception, marks: Mapping[str, Mark], own: Mark) -> str:
    """Return what went wrong; an error about something that the spec asked for starts with its place in the spec.

    own: the mark of the criterion.
    """
    if isinstance(error, SubjectError):
        mark = own if error.path == _CRITERION else _nearest(error.path, marks)
        return f"{mark}: {error}" if mark else str(error)
    if isinstance(error, NoVerdict):
        return str(error)
    return f"raised {describe(error)}{'' if origin_of(error) else about_signature(error)}"


def _nearest(path: str, marks: Mapping[str, Mark]) -> Mark | None:
    """Return the mark of a dotted path, or of its nearest parent that is in the spec."""
    while path and path not in marks:
        path = path.rpartition(".")[0]
    return marks.get(path)


def _observed(answer: Any) -> Observed[Any]:
    """Return what a check returned as an observation of plain values.

    Raises NoVerdict for anything that is not a value, before JSON could turn it into something else.
    """
    observed = answer if isinstance(answer, Observed) else Observed(answer)
    if not isinstance(observed.details, Mapping):
        raise NoVerdict(f"the check returned details of type {type(observed.details).__name__}; details are a mapping")
    try:
        reasons = str(observed.unseen), str(observed.noise)
        return Observed(_value(observed.value), plain(observed.details), *reasons, _interval(observed.interval))
    except NestingError as error:
        raise NoVerdict(f"the check returned details that are {error}") from None


def _interval(returned: Any) -> Interval | None:
    if returned is None:
        return None
    if isinstance(returned, Interval):
        ends: list[object] = [returned.lower, returned.upper, returned.level]
        if all(isinstance(end, float) and end - end == 0 for end in ends):
            return returned
    raise NoVerdict(f"the check returned {returned!r:.200} as an interval, whose ends are finite floats")


def _value(returned: Any) -> Any:
    value = _bare(returned)
    if isinstance(value, (bool, str)):
        return value
    # numpy's integers are registered as Integral, tensors are not. An integer beyond the floats cannot be judged.
    if isinstance(value, Integral) and abs(whole := int(value)) <= sys.float_info.max:
        return whole
    if isinstance(value, Real) and (number := float(value)) - number == 0:
        return number
    if isinstance(value, (tuple, list)) and all(isinstance(n, Integral) and not isinstance(n, bool) for n in value):
        return tuple(int(_bare(n)) for n in value)
    raise NoVerdict(
        f"the check returned {returned!r:.60} ({type(returned).__name__}); a check returns one finite number, a bool, "
        "a string or a tuple of integers"
    )


def _bare(value: Any) -> Any:
    """Return the number or text that an object of a subclass holds, whatever its own conversions say."""
    for kind, read in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
        if issubclass(type(value), kind) and type(value) not in {kind, bool}:
            return read(value)
    return value


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out, here or in what caused the error; torch's own type is recognised by its name."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an exception may be the cause of its own cause
        seen.add(id(error))
        name = type(error).__name__
        if isinstance(error, MemoryError) or name == "OutOfMemoryError" or "allocate memory" in named(error):
            return True
        error = error.__cause__
    return False


def _close(container: Container) -> tuple[str, ...]:
    try:
        container.close()
    except Exception as error:  # noqa: BLE001 - reported as a fault, so the run is not a success
        return (f"a measurement failed to clean up: {describe(error)}",)
    return ()
