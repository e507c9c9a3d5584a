"""A run over live objects, in this process: their sections, what they need given back, and the same flow."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from retspec import given
from retspec.engine.in_process import measure_here
from retspec.engine.interrupts import Interrupted
from retspec.engine.protocol import Noted
from retspec.engine.rounds import Rounds
from retspec.engine.supervisor import Turn
from retspec.errors import Mark, Problem, SpecError, UsageError
from retspec.judge import utc_today
from retspec.plugins.catalog import gather
from retspec.prepare import prepare_all
from retspec.report.live import live_cells, reporting, require_no_fuller
from retspec.running import hear, with_seeds
from retspec.subjects.data.kept_loader import loader_kept
from retspec.subjects.models.kept import KeptModule
from retspec.subjects.process_state import process_kept
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import nn

    from retspec.engine.protocol import Message
    from retspec.records import Plan, Report
    from retspec.report.live import LiveCell

_BESIDE_A_MODULE = ("adapters", "forward", "output")
"""Keys of the section `model` that describe a module; all others make one."""
_OF_A_WORKER = ("run.timeout", "run.measurement_timeout", "run.memory")


def run_live(
    spec: Mapping[str, Any],
    objects: Mapping[str, object],
    reports: Mapping[str, str | Path],
    options: Mapping[str, Any],
) -> Report:
    """Run a spec over objects of this process, and give them back as they were.

    objects: by the names `model`, `data` and `loss`.
    Raises what `retspec.run` raises, and UsageError while another such run is at work.
    """
    settings = dict(options)
    for name in ("jobs", "live_output"):
        if settings.pop(name, None) not in {None, False, 1}:
            raise UsageError(f"{name}= needs a worker process, and live objects are measured in this one")
    with ExitStack() as stack:
        offers, sections = _offers(spec, objects, stack)
        if not stack.enter_context(given.offered(offers)):
            raise UsageError("another run with live objects is at work in this process; wait for its end")
        return _run(sections, reports, _note(objects), **settings)


def _run(  # noqa: PLR0913 - the options of a run
    sections: Mapping[str, Any],
    reports: Mapping[str, str | Path],
    note: str,
    *,
    strict: bool = False,
    fail_fast: bool = False,
    today: Any = None,
    observers: Iterable[object] = (),
    seeds: int | None = None,
    **options: Any,
) -> Report:
    options["overrides"] = with_seeds(options.get("overrides", ()), seeds)
    gathering = cache(partial(gather, observers=tuple(observers)))
    prepared = prepare_all([sections], announce=lambda _document, _gathered: None, gathering=gathering, **options)
    prepared = [([_in_process(plan) for plan in plans], catalog) for plans, catalog in prepared]
    require_no_fuller(prepared, [reports])
    live = live_cells(prepared, [reports], strict=strict)
    with reporting(live) as live_reports, process_kept(), _interrupted_at_once():
        for cell in live:
            cell.note(Turn.BEGINS)
            cell.note(Noted((note,)))
            hearing = partial(hear, cell, today=today or utc_today(), fail_fast=fail_fast)
            _measure(cell, hearing)
            cell.note(Turn.ENDS)
            if fail_fast and any(not result.verdict.is_accepted for result in cell.live.part.report.results):
                break
    return live_reports[0].report


def _measure(cell: LiveCell, hearing: Callable[[Turn | Message], bool]) -> None:
    """Measure a cell, one seed after another, until nothing more is wanted."""
    rounds = Rounds([cell.job])
    goes_on = True

    def heard(place: int, message: Message) -> bool:
        nonlocal goes_on
        goes_on = goes_on and all(hearing(each) for each in rounds.of(place, message))
        return goes_on

    for place, job in enumerate(rounds.jobs):
        if goes_on:
            measure_here(job, cell.catalog, partial(heard, place))


def _in_process(plan: Plan) -> Plan:
    """Return a plan whose model is the module as it is; raises SpecError for what only a worker can do."""
    spec = plan.spec
    problems = [
        Problem(spec.marks[path], f"{path} needs a worker process, and live objects are measured in this one")
        for path in _OF_A_WORKER
        if path in spec.marks
    ]
    problems += [
        Problem(each.mark, f"the timeout of {each.id!r} needs a worker process; leave it out beside live objects")
        for each in spec.criteria
        if each.timeout is not None
    ]
    if spec.training is not None:
        mark = spec.marks.get("train", Mark.of_keys(spec.file))
        problems.append(
            Problem(mark, "live objects are trained by the recipe; a training of yours needs a spec of its own")
        )
    if problems:
        raise SpecError(problems)
    return replace(plan, needs_weights=True)


# The sections -------------------------------------------------------------------------------------


def _offers(
    spec: Mapping[str, Any], objects: Mapping[str, object], stack: ExitStack
) -> tuple[dict[str, Callable[..., object]], dict[str, Any]]:
    """Return what specs can refer to, and the sections that do; each object is given back when the stack unwinds."""
    sections = dict(spec)
    offers: dict[str, Callable[..., object]] = {}
    if "model" in objects:
        kept = _kept(objects["model"])
        stack.callback(kept.give_back)
        offers["model"] = kept.lend  # so that a model "built again" is the module as it was
        sections["model"] = {**_beside_model(spec), "factory": given.reference("model")}
        sections["run"] = {"device": _device_of(kept.module), **_section(spec, "run")}
    if "data" in objects:
        offers |= _data(objects["data"], stack)
        named = {name: given.reference(name) for name in offers if name in {"train", "val"}}
        source = {"loaders": named} if named else {"factory": given.reference("data")}
        sections["data"] = {**_section(spec, "data"), **source}
    if "loss" in objects:
        offers["loss"] = _loss(objects["loss"])
        if "loss" in _section(spec, "train"):
            raise UsageError("the loss is given twice, as loss= and as `train.loss`; leave one out")
        sections["train"] = {**_section(spec, "train"), "loss": given.reference("loss")}
    return offers, sections


def _section(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = spec.get(name) or {}
    if not isinstance(section, Mapping):
        raise UsageError(f"the section {name!r} is a mapping; found {type(section).__name__}")
    return section


def _beside_model(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    section = _section(spec, "model")
    for key in section:
        if key not in _BESIDE_A_MODULE:
            known = ", ".join(_BESIDE_A_MODULE)
            raise UsageError(
                f"`model.{key}` makes or changes a model, and model= is one already; do it before, or leave model= out "
                f"(beside it there may be {known})"
            )
    return section


def _kept(model: object) -> KeptModule:
    from torch import nn

    if isinstance(model, nn.Module):
        return KeptModule(model)
    hint = "; give an object of it" if isinstance(model, type) else "; give what it returns" if callable(model) else ""
    kind = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise UsageError(f"model= takes a torch.nn.Module; found {kind}{hint}")


def _device_of(model: nn.Module) -> str:
    """Return the device of a module as a spec names it; auto for one without tensors."""
    tensor = next(chain(model.parameters(), model.buffers()), None)
    if tensor is None:
        return "auto"
    device = tensor.device
    return str(device) if device.type == "cuda" else device.type


def _data(data: object, stack: ExitStack) -> dict[str, Callable[..., object]]:
    from torch.utils.data import DataLoader, Dataset

    if isinstance(data, DataLoader):
        data = {"train": data}
    if isinstance(data, Mapping) and data and {"train", "val"}.issuperset(data):
        for loader in data.values():
            stack.enter_context(loader_kept(loader))
        return {str(name): partial(_itself, loader) for name, loader in data.items()}
    if isinstance(data, (Dataset, Mapping)) or (isinstance(data, (tuple, list)) and len(data) > 1):
        return {"data": partial(_itself, data)}
    raise UsageError(
        "data= takes a DataLoader, a Dataset, a batch such as (inputs, targets), or "
        f"{{'train': loader, 'val': loader}}; found {type(data).__name__}"
    )


def _loss(loss: object) -> Callable[..., object]:
    if callable(loss) and not isinstance(loss, type):
        return loss
    if isinstance(loss, type):
        raise UsageError(f"loss= takes a function or a module; found the class {loss.__name__}; give an object of it")
    hint = "; a loss by name is `train: {loss: ...}` in the mapping" if isinstance(loss, str) else ""
    raise UsageError(f"loss= takes a function of logits and targets; found {type(loss).__name__}{hint}")


def _itself(given_object: object) -> object:
    return given_object


def _note(objects: Mapping[str, object]) -> str:
    """Return what a reader should know of verdicts that no other process can repeat."""
    kinds = listing([f"{name} ({getattr(each, '__name__', type(each).__name__)})" for name, each in objects.items()])
    return f"Objects of the calling process were measured in it, as they were then: {kinds}."


@contextmanager
def _interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C, and the stop button of a notebook, end what is at work, and never the process itself.

    Raises Interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(signal.SIGINT) from error
    finally:
        signal.signal(signal.SIGINT, before)
