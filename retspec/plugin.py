"""Everything that a plugin declares, on one page: read it first to write your own check.

A plugin imports only five modules of retspec: this one, `retspec.facts` (what checks read), `retspec.toolkit` (helpers
for code that uses torch), `retspec.executors` (engines on other machines), and `retspec.faults` (what `prove` plants).

A check is a function that answers one question with one value. Its positional parameters name *measurements*, the
facts that it reads. Its keyword-only parameters, with their annotations as schema, are its arguments, under `with:` in
a spec. A check never judges: the limit is in the spec, the direction in the decorator::

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

Save it as `my_checks.py`, name it in a spec (`plugins: [my_checks.py]`) or to `retspec run -p`, and `steps_to_halve: 5`
is a criterion, in the schema, `retspec checks` and the error messages, too. In an installed package, name the module as
an entry point in the group `retspec`.

* `@check` makes a `Check`. Return the bare value, or `Observed(value, details)`: details are shown when the limit is
  missed. The return annotation is the type of the limit (`int`, `float`, `bool`, `str`, or `tuple[int, ...]`). A
  `Check` made with `interval=True` returns an `Interval`, too, and its criteria say what of it is judged.
* Raise `Inconclusive("why")` when the value could not have come out otherwise: what cannot be measured never passes.
  Raise `SubjectError("what is wrong; what to do")` for a subject that cannot be built or measured.
* `@measurement` makes a `Measurement`: new facts, with a `Cost`, and a function of the `Recipe` that counts its
  `Passes`. Its positional parameters name other measurements or parts of the subject: `model` (the real module; leave
  it unchanged), `build_again` (or None), `skeleton` (the same without weights, on the meta device), `optional_skeleton`
  (None in a spec without a model), `checkpoint_file` (on disk), `loaded` (the result of loading it), `batch`,
  `take_batch`, `dataset` (the files behind the batches), `prediction_files` (its `read()` gives the predictions of a
  trained model), `data_folders` (a function: where they may lie), `transforms` (from files to tensors), `feed` (batch
  after batch), `loaders` (the user's own), `trainer` (`trainer.on(model, batch)` makes a `Trainer`, which takes
  optimizer steps; keys of `trainer.recipe` as keywords vary it), `own_optimizers` (what the user's own hold),
  `watched_run` (of the user's training), `ranked_run` (the same on ranks), `epochs` (their order), `device`, `config`,
  `progress`, `recorded_warnings` (a function), `made_training` (or None). Facts are frozen dataclasses or structs.
* `@model_source`, `@data_source` (batches), `@dataset_source` (files) and `@training_source` (trainers) make a
  `Source`, a new way to describe what is under test. A `ModelLibrary`, given as `@model_source(library=...)`, says what
  a library knows of its models. `PositiveInt` and `Fraction` are types of arguments with their bounds in the schema.
* `Count`, `Amount`, `Relative` and `Fraction` are types of what a check observes, with their bounds: a limit that
  nothing can miss is an error of the spec then, one that hardly anything misses has a note.
* `@reporter` makes a `Reporter`, an output format. It reads a `Report`; its texts are untrusted, and `visible` or
  `one_line` removes control characters that a terminal would obey.
* Observers of a run get the `Spec`, the `Report`, each `Result` with its `Verdict`, in pluggy's order: the last one
  registered first; `@hookimpl(tryfirst=True)`, `trylast` and `wrapper=True` have an effect. An exception in one is a
  fault of the run, but does not end it. No plugin can change what another offers.
* `HookSpecs` lists every hook, `@hookimpl` marks an implementation, `discover` finds what a package's modules define.
  `RETSPEC_API = 1` states the plugin API that a module was built for; an older retspec refuses it.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from retspec.characters import one_line, visible
from retspec.errors import Inconclusive, SubjectError
from retspec.plugins.discovery import discover
from retspec.plugins.hooks import HookSpecs, hookimpl
from retspec.plugins.kinds import Check, Cost, Measurement, Reporter, Source
from retspec.plugins.model_library import UNKNOWN, ModelLibrary
from retspec.plugins.signatures import hints, read_signature, value_type
from retspec.records import (
    Amount,
    Count,
    Direction,
    Fraction,
    Interval,
    Observed,
    Passes,
    PositiveInt,
    Recipe,
    Relative,
    Report,
    Result,
    Spec,
    Value,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Amount",
    "Check",
    "Cost",
    "Count",
    "Fraction",
    "HookSpecs",
    "Inconclusive",
    "Interval",
    "Measurement",
    "ModelLibrary",
    "Observed",
    "Passes",
    "PositiveInt",
    "Recipe",
    "Relative",
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


def check(
    *,
    direction: str,
    advice: str,
    unit: str = "",
    default_limit: Value | None = None,
    shorthand: str | None = None,
    interval: bool = False,
) -> Callable[[Callable[..., Any]], Check]:
    """Make a check from a function; see the top of this page.

    direction: "at most", "at least" or "equal": how the observed value is compared with the limit.
    advice: what to do when the limit is missed, as an imperative sentence.
    default_limit: the limit of a criterion that gives none.
    shorthand: the argument that `name: value` sets in a spec; without it, the shorthand sets the limit.
    interval: whether it returns `Observed(value, interval=Interval(...))`; a criterion then says `judge: point` or
        `judge: bound`, and has no shorthand.
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
            interval=interval,
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
    shared_passes: Callable[..., Passes | None] | None = None,
    needs_torch: bool = True,
) -> Callable[[Callable[..., Any]], Measurement]:
    """Make a measurement from a function.

    cost: decides its position in the plan.
    passes: a function of the recipe and the measurement's arguments, by name, that returns how many forward and
        backward passes of the real model it makes; without it, none.
    fewest_passes: the same for a measurement that may end early, where `passes` returns the most; by default `passes`.
    shared_passes: the same for one that asks for `made_training`, where that saves it passes; None where it cannot.
    needs_torch: False for one that does not use torch; a run of only such ones saves the seconds of its import.
    """

    def decorate(function: Callable[..., Any]) -> Measurement:
        positional, keyword = read_signature(function)
        return Measurement(
            name=_name(function),
            function=function,
            cost=cost,
            passes=passes,
            fewest_passes=fewest_passes or passes,
            shared_passes=shared_passes,
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
    """Make a key under `model:` from a function `(value, *, arguments) -> torch.nn.Module`.

    The first parameter is the value of the key, the keyword-only ones are the other keys of the section. A second one,
    `folder`, is the `pathlib.Path` of the spec's folder. It may be called under `torch.device("meta")`, for its shapes.

    library: what the library that builds the model knows of its models; by default nothing.
    """

    def decorate(function: Callable[..., Any]) -> Source:
        return replace(_source(function, "model"), library=library)

    return decorate if function is None else decorate(function)


def data_source(function: Callable[..., Any]) -> Source:
    """Make a key under `data:` from a function `(value, request, *, arguments) -> (inputs, targets)`.

    The first parameter is the value of the key, `request` (`retspec.facts.BatchRequest`) says which batch is needed.
    Both results are tensors on the CPU: inputs of shape (batch, ...), targets of shape (batch,) or (batch, classes). A
    function may return a torch DataLoader of such batches instead: its first batch is used, and the loader is timed
    unchanged. The return annotation must then name DataLoader.
    """
    returned = str(function.__annotations__.get("return", ""))
    source = _source(function, "data")
    return replace(source, may_give_loader="Loader" in returned, gives_loaders="UserLoaders" in returned)


def dataset_source(function: Callable[..., Any]) -> Source:
    """Make a key under `data:` from a function `(value, folder, *, arguments) -> retspec.facts.Dataset`.

    The first parameter is the value of the key, `folder` the `pathlib.Path` that relative paths start from: the
    folder of the spec. The function lists files and opens no image. retspec adds the keys `batch_size`, `transform` and
    `train_transform`, batches that are balanced over the classes, and all checks on data.
    """
    return replace(_source(function, "data"), gives_files=True)


def reporter(function: Callable[[Report], str]) -> Reporter:
    """Make an output format from a function `(report) -> str`, for `--report NAME=PATH`.

    NAME is the name of the function, with `-` for each `_`. The function is called repeatedly during a run, with a
    report in which some criteria are not run yet: it must read the report, and nothing else. Texts in the report are
    untrusted: pass them through `visible` or `one_line` before they reach a terminal.
    """
    return Reporter(name=_name(function).replace("_", "-"), render=function, doc=inspect.getdoc(function) or "")


@overload
def training_source(function: Callable[..., Any]) -> Source: ...


@overload
def training_source(*, launches: bool) -> Callable[[Callable[..., Any]], Source]: ...


def training_source(
    function: Callable[..., Any] | None = None, *, launches: bool = False
) -> Source | Callable[[Callable[..., Any]], Source]:
    """Make a key under `train:` from a function `(value, model, batch, *, arguments) -> Trainer`.

    The first parameter is the value of the key; the `retspec.toolkit.Trainer` is made for each training that a
    measurement needs. An argument named as a key of the recipe (`lr`, `amp`) must mean the same: a measurement may vary
    it, and gives no verdict where the key is missing. `steps`, `stop_at_drop`, `min_steps`, `batch_size` and `dropout`
    work with all. launches: for `(value, folder, *, arguments) -> Launch`, the user's own training, which is watched.
    """

    def decorate(function: Callable[..., Any]) -> Source:
        return replace(_source(function, "train"), launches=launches)

    return decorate if function is None else decorate(function)


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
