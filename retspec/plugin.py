"""READ FIRST to write a check of your own: everything a plugin declares, on one page.

A plugin imports three modules of retspec and no other: this one, `retspec.facts` (what checks read), and
`retspec.toolkit` (what code that touches torch uses).

A check is a function that answers one question with one value. Its positional parameters name *measurements*, the
facts that it reads; its keyword-only parameters are its arguments, under `with:` in a spec, and their annotations are
their schema. It never judges: the limit is in the spec, the direction in the decorator::

    from retspec.facts import Training
    from retspec.plugin import Check, check, hookimpl

    @check(direction="at most", unit="steps", advice="Raise the learning rate or warm up for fewer steps.")
    def steps_to_halve(training: Training) -> int:
        '''After how many steps has the loss halved?'''
        first = training.losses[0]
        return next((i for i, loss in enumerate(training.losses) if loss <= first / 2), len(training.losses))

    @hookimpl
    def retspec_checks() -> list[Check]:
        return [steps_to_halve]

Save it as `my_checks.py`, name it in a spec (`plugins: [my_checks.py]`) or on the command line
(`retspec run -p my_checks.py spec.yaml`), and `steps_to_halve: 5` is a criterion; the schema, `retspec checks` and
the error messages know it. As an installed package, name the module as an entry point in the group `retspec`.

* `@check` makes a `Check`. Return the bare value, or `Observed(value, details)`: details are shown when the limit is
  missed. The annotation of what is returned is the type of the limit (`int`, `float`, `bool`, `str`, or
  `tuple[int, ...]`).
* Raise `Inconclusive("why")` when the value could not have gone the other way: an unmeasurable thing is never green.
  Raise `SubjectError("what is wrong; what to do")` for a subject that cannot be built or measured.
* `@measurement` makes a `Measurement`: new facts, with a `Cost`, and the `Passes` that a function of the `Recipe`
  counts. Its positional parameters name other measurements or parts of the subject: `model`
  (the real module on its device), `skeleton` (the same module without weights, on the meta device),
  `optional_skeleton` (None in a spec without a model), `checkpoint_file` (as it lies on disk), `loaded` (what came of
  it), `batch`, `take_batch`, `dataset` (the files behind the batches), `transforms` (what turns them into tensors),
  `feed` (batch after batch, as from a loader), `trainer` (makes what takes optimizer steps, `trainer.on(model, batch)`;
  keys of `trainer.recipe` as keywords vary it), `device`, `config` (the training config), `progress`,
  `recorded_warnings` (a function: those so far).
  Facts are frozen dataclasses of plain data, so that they can be recorded and judged again. A measurement leaves the
  model as it found it.
* `@model_source`, `@data_source` (batches), `@dataset_source` (files) and `@training_source` (what trains) make a
  `Source`, a new way to say what is under test. A `ModelLibrary`, given as `@model_source(library=...)`, says what a
  library knows of its models. `PositiveInt` and `Fraction` are types of arguments with their bounds in the schema.
* `@reporter` makes a `Reporter`, an output format. It reads a `Report`; texts in it are strangers', and `visible` or
  `one_line` takes out what a terminal would obey.
* Observers of a run get the `Spec`, the `Report`, each `Result` with its `Verdict`. pluggy's order holds: the last one
  registered hears first, and `@hookimpl(tryfirst=True)`, `trylast` and `wrapper=True` are heeded. One that raises is a
  fault of the run, never its end. What a plugin offers cannot be wrapped: no plugin changes what another offers.
* `HookSpecs` lists every hook; `@hookimpl` marks an implementation. `discover` finds what the modules of a package
  make.
* `RETSPEC_API = 1` in the module states the plugin API that it was built for; an older retspec then refuses it
  clearly.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from retspec.characters import one_line, visible
from retspec.errors import Inconclusive, SubjectError
from retspec.plugins.hooks import HookSpecs, hookimpl
from retspec.plugins.kinds import Check, Cost, Measurement, Reporter, Source
from retspec.plugins.model_library import UNKNOWN, ModelLibrary
from retspec.plugins.signatures import hints, read_signature, value_type
from retspec.records import (
    Direction,
    Fraction,
    Observed,
    Passes,
    PositiveInt,
    Recipe,
    Report,
    Result,
    Spec,
    Value,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

__all__ = [
    "Check",
    "Cost",
    "Fraction",
    "HookSpecs",
    "Inconclusive",
    "Measurement",
    "ModelLibrary",
    "Observed",
    "Passes",
    "PositiveInt",
    "Recipe",
    "Report",
    "Reporter",
    "Result",
    "Source",
    "Spec",
    "SubjectError",
    "Verdict",
    "check",
    "data_source",
    "dataset_source",
    "discover",
    "hookimpl",
    "measurement",
    "model_source",
    "one_line",
    "reporter",
    "training_source",
    "visible",
]

T = TypeVar("T", Check, Measurement, Source, Reporter)


def check(
    *,
    direction: str,
    advice: str,
    unit: str = "",
    default_limit: Value | None = None,
    shorthand: str | None = None,
) -> Callable[[Callable[..., Any]], Check]:
    """Make a check of a function; see the top of this page.

    direction: "at most", "at least" or "equal": how the observed value is held against the limit.
    advice: what to do when the limit is missed, as an imperative sentence.
    default_limit: the limit of a criterion that gives none.
    shorthand: the argument that `name: value` sets in a spec; without it, the shorthand sets the limit.
    """

    def decorate(function: Callable[..., Any]) -> Check:
        positional, keyword = read_signature(function)
        return Check(
            name=_name(function),
            function=function,
            direction=Direction(direction),
            unit=unit,
            advice=advice,
            default_limit=default_limit,
            shorthand=shorthand,
            measurements=positional,
            arguments=keyword,
            value_type=value_type(function),
            doc=inspect.getdoc(function) or "",
        )

    return decorate


def measurement(
    *,
    cost: Cost,
    passes: Callable[..., Passes] | None = None,
    fewest_passes: Callable[..., Passes] | None = None,
    needs_torch: bool = True,
) -> Callable[[Callable[..., Any]], Measurement]:
    """Make a measurement of a function.

    cost: places it in the plan.
    passes: a function of the recipe and the measurement's arguments, by name, that tells how many forward and backward
        passes of the real model it makes; without it, none.
    fewest_passes: the same for one that may end early, where `passes` tells the most; without it, just as many.
    needs_torch: False for one that leaves torch alone; a run in which all do saves the seconds that importing it takes.
    """

    def decorate(function: Callable[..., Any]) -> Measurement:
        positional, keyword = read_signature(function)
        return Measurement(
            name=_name(function),
            function=function,
            cost=cost,
            passes=passes or _no_passes,
            fewest_passes=fewest_passes or passes or _no_passes,
            inputs=positional,
            arguments=keyword,
            doc=inspect.getdoc(function) or "",
            needs_torch=needs_torch,
        )

    return decorate


@overload
def model_source(function: Callable[..., Any]) -> Source: ...


@overload
def model_source(*, library: ModelLibrary) -> Callable[[Callable[..., Any]], Source]: ...


def model_source(
    function: Callable[..., Any] | None = None, *, library: ModelLibrary = UNKNOWN
) -> Source | Callable[[Callable[..., Any]], Source]:
    """Make a key under `model:` of a function `(value, *, arguments) -> torch.nn.Module`.

    The first parameter is the value of the key, the keyword-only ones are the keys beside it. The function may be
    called under `torch.device("meta")`, to learn the architecture without making weights.

    library: what the library that builds the model knows of its models; `@model_source` alone knows nothing.
    """

    def decorate(function: Callable[..., Any]) -> Source:
        return replace(_source(function, "model"), library=library)

    return decorate if function is None else decorate(function)


def data_source(function: Callable[..., Any]) -> Source:
    """Make a key under `data:` of a function `(value, request, *, arguments) -> (inputs, targets)`.

    The first parameter is the value of the key, `request` tells what is asked for
    (`retspec.facts.BatchRequest`). Both results are tensors on the CPU: inputs of shape (batch, ...), targets of
    shape (batch,) or (batch, classes). A function may return a torch DataLoader of such batches instead: its first one
    is taken, and it is timed as it is. The annotation of what is returned then names DataLoader.
    """
    returned = str(function.__annotations__.get("return", ""))
    return replace(_source(function, "data"), may_give_loader="DataLoader" in returned)


def dataset_source(function: Callable[..., Any]) -> Source:
    """Make a key under `data:` of a function `(value, folder, *, arguments) -> retspec.facts.Dataset`.

    The first parameter is the value of the key, `folder` the `pathlib.Path` that relative paths start from: where
    the spec lies. It lists files and opens no image. The core does the rest for it: the keys `batch_size`, `transform`
    and `train_transform` beside its own, batches that are balanced over the classes, and all checks on data.
    """
    return replace(_source(function, "data"), gives_files=True)


def reporter(function: Callable[[Report], str]) -> Reporter:
    """Make an output format of a function `(report) -> str`, for `--report NAME=PATH`.

    NAME is that of the function, with `-` for each `_`. The function is called again and again while a run goes on,
    with a report in which some criteria are not run yet: it reads the report, and nothing else. Texts in it come
    from strangers: what is shown on a terminal goes through `visible` or `one_line` first.
    """
    return Reporter(name=_name(function).replace("_", "-"), render=function, doc=inspect.getdoc(function) or "")


def training_source(function: Callable[..., Any]) -> Source:
    """Make a key under `train:` of a function `(value, model, batch, *, arguments) -> Trainer`.

    The first parameter is the value of the key; what is returned is a `retspec.toolkit.Trainer` of
     the model on the batch. It is called for each training that a measurement makes. An argument that is called like
    a key of the recipe (`lr`, `accumulation`, `amp`) means the same: a measurement may vary it. One that needs to vary
    a key that the function does not have gets no verdict. The keys `steps`, `stop_at_drop`, `min_steps`, `batch_size`
    and `dropout` go with every kind of training.
    """
    return _source(function, "train")


def discover(package: ModuleType, kind: type[T]) -> list[T]:
    """Import every module below a package and return all its checks (or measurements, or sources), sorted by name."""
    found = {id(item): item for module in _modules(package) for item in vars(module).values() if isinstance(item, kind)}
    return sorted(found.values(), key=lambda item: str(item.name))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def _source(function: Callable[..., Any], kind: str) -> Source:
    positional, keyword = read_signature(function)
    return Source(
        name=_name(function),
        function=function,
        value_type=hints(function, positional[:1])[positional[0]],
        arguments=keyword,
        doc=inspect.getdoc(function) or "",
        kind=kind,
    )


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", function))


def _no_passes(recipe: Recipe, **_arguments: Any) -> Passes:  # noqa: ARG001 - called like every other counter
    return Passes()
