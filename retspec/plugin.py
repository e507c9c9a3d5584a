"""READ FIRST to write a check of your own: everything a plugin needs, on one page.

A check is a function that answers one question with one value. Its positional parameters name *measurements*, the
facts that it reads; its keyword-only parameters are its arguments, under `with:` in a spec, and their annotations are
their schema. It never judges: the limit stands in the spec, the direction in the decorator::

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

* Return the bare value, or `Observed(value, details)`: details are shown when the limit is missed. The annotation of
  what is returned is the type of the limit (`int`, `float`, `bool`, `str`, `tuple[int, ...]`).
* Raise `Inconclusive("why")` when the value could not have gone the other way: an unmeasurable thing is never green.
* `@measurement` makes new facts. Its positional parameters name other measurements or parts of the subject: `model`
  (the real module on its device), `skeleton` (the same module without weights, on the meta device), `batch`, `recipe`,
  `device`, `progress`. Facts are frozen dataclasses of plain data, so that they can be recorded and judged again.
  A measurement leaves the model as it found it.
* `@model_source` and `@data_source` add new ways to say what is under test; `Reporter` adds an output format.
* `HookSpecs` lists every hook.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

import pluggy
from msgspec import UNSET

from retspec.errors import Inconclusive, SubjectError
from retspec.records import Direction, Observed, Passes, Recipe, Value

if TYPE_CHECKING:
    from retspec.records import Report, Result, Spec

__all__ = [
    "Check",
    "Cost",
    "HookSpecs",
    "Inconclusive",
    "Measurement",
    "Observed",
    "Passes",
    "Reporter",
    "Source",
    "SubjectError",
    "check",
    "data_source",
    "discover",
    "hookimpl",
    "measurement",
    "model_source",
]

PROJECT = "retspec"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

PARTS = frozenset({"model", "skeleton", "batch", "recipe", "device", "progress"})
"""The parts of the subject that a measurement may ask for by parameter name."""


class Cost(IntEnum):
    """What a measurement costs; the plan measures cheap before dear."""

    STATIC = 0
    FORWARD = 1
    TRAINING = 2
    COMPILE = 3


@dataclass(frozen=True, kw_only=True)
class Argument:
    """A keyword-only parameter of a check, a measurement or a source."""

    name: str
    type: Any
    default: Any = UNSET

    @property
    def is_required(self) -> bool:
        """Whether the spec must give it."""
        return self.default is UNSET


@dataclass(frozen=True, kw_only=True)
class Check:
    """A question whose answer is one value. Made by `@check`; calling it calls the function."""

    name: str
    function: Callable[..., Any]
    direction: Direction
    unit: str
    advice: str
    default_limit: Value | None
    shorthand: str | None
    measurements: tuple[str, ...]
    arguments: Mapping[str, Argument]
    value_type: Any
    doc: str

    @property
    def question(self) -> str:
        """The first line of the docstring."""
        return self.doc.partition("\n")[0]

    @property
    def family(self) -> str:
        """The name of the package that the check lives in: `parameters`, `learning`, `numerics`, or a plugin's."""
        package = self.function.__module__.split(".")
        return package[2] if package[:2] == [PROJECT, "checks"] else package[0]

    def __call__(self, *facts: Any, **arguments: Any) -> Any:
        """Call the function."""
        return self.function(*facts, **arguments)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Facts about the subject, produced once and shared. Made by `@measurement`; calling it calls the function."""

    name: str
    function: Callable[..., Any]
    cost: Cost
    passes: Callable[..., Passes]
    inputs: tuple[str, ...]
    arguments: Mapping[str, Argument]
    doc: str

    def __call__(self, *inputs: Any, **arguments: Any) -> Any:
        """Call the function."""
        return self.function(*inputs, **arguments)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A way to say what is under test: the key under `model:` or `data:` that names it, and what builds it."""

    name: str
    function: Callable[..., Any]
    value_type: Any
    arguments: Mapping[str, Argument]
    doc: str
    kind: str

    def __call__(self, *values: Any, **arguments: Any) -> Any:
        """Call the function."""
        return self.function(*values, **arguments)


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """An output format: turns a report, finished or not, into text. Pure, so that it can be run at any moment."""

    name: str
    render: Callable[[Report], str]
    doc: str = ""


class HookSpecs:
    """Every hook that a plugin may implement, with `@hookimpl` on a function of the same name."""

    @hookspec
    def retspec_checks(self) -> Sequence[Check]:
        """Return the checks that this plugin offers."""
        raise NotImplementedError

    @hookspec
    def retspec_measurements(self) -> Sequence[Measurement]:
        """Return the measurements that this plugin offers."""
        raise NotImplementedError

    @hookspec
    def retspec_model_sources(self) -> Sequence[Source]:
        """Return new keys under `model:`."""
        raise NotImplementedError

    @hookspec
    def retspec_data_sources(self) -> Sequence[Source]:
        """Return new keys under `data:`."""
        raise NotImplementedError

    @hookspec
    def retspec_reporters(self) -> Sequence[Reporter]:
        """Return new output formats."""
        raise NotImplementedError

    @hookspec
    def retspec_spec_loaded(self, spec: Spec) -> None:
        """Observe: the spec is valid, nothing has run yet."""

    @hookspec
    def retspec_run_started(self, report: Report) -> None:
        """Observe: the run starts; every criterion stands in the report as not run."""

    @hookspec
    def retspec_progress(self, measurement: str, step: int, total: int) -> None:
        """Observe: step `step` of `total` of a measurement begins; (0, 0) when it tells no steps."""

    @hookspec
    def retspec_criterion_finished(self, result: Result) -> None:
        """Observe: a criterion has its verdict."""

    @hookspec
    def retspec_run_finished(self, report: Report) -> None:
        """Observe: the run is over."""


# The decorators -----------------------------------------------------------------------------------


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
        positional, keyword = _parameters(function)
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
            value_type=_value_type(_hints(function, ["return"]).get("return", float)),
            doc=inspect.getdoc(function) or "",
        )

    return decorate


def measurement(
    *, cost: Cost, passes: Callable[..., Passes] | None = None
) -> Callable[[Callable[..., Any]], Measurement]:
    """Make a measurement of a function.

    cost: places it in the plan.
    passes: a function of the recipe and the measurement's arguments, by name, that tells how many forward and backward
        passes of the real model it makes; without it, none.
    """

    def decorate(function: Callable[..., Any]) -> Measurement:
        positional, keyword = _parameters(function)
        return Measurement(
            name=_name(function),
            function=function,
            cost=cost,
            passes=passes or _no_passes,
            inputs=positional,
            arguments=keyword,
            doc=inspect.getdoc(function) or "",
        )

    return decorate


def model_source(function: Callable[..., Any]) -> Source:
    """Make a key under `model:` of a function `(value, *, arguments) -> torch.nn.Module`.

    The first parameter is what stands behind the key, the keyword-only ones are the keys beside it. The function may be
    called under `torch.device("meta")`, to learn the architecture without making weights.
    """
    return _source(function, "model")


def data_source(function: Callable[..., Any]) -> Source:
    """Make a key under `data:` of a function `(value, request, *, arguments) -> (inputs, targets)`.

    The first parameter is what stands behind the key, `request` tells what is asked for
    (`retspec.facts.BatchRequest`). Both results are tensors on the CPU: inputs of shape (batch, ...), targets of
    shape (batch,) or (batch, classes).
    """
    return _source(function, "data")


def discover(package: ModuleType, kind: type[T]) -> list[T]:
    """Import every module below a package and return all its checks (or measurements, or sources), sorted by name."""
    found = {id(item): item for module in _modules(package) for item in vars(module).values() if isinstance(item, kind)}
    return sorted(found.values(), key=lambda item: str(item.name))  # type: ignore[attr-defined]


T = TypeVar("T")


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def _source(function: Callable[..., Any], kind: str) -> Source:
    positional, keyword = _parameters(function)
    return Source(
        name=_name(function),
        function=function,
        value_type=_hints(function, positional[:1])[positional[0]],
        arguments=keyword,
        doc=inspect.getdoc(function) or "",
        kind=kind,
    )


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", function))


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Argument]]:
    """Split a signature into the names of its inputs and its arguments."""
    parameters = inspect.signature(function).parameters.values()
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    types = _hints(function, [p.name for p in keywords])
    arguments = {
        p.name: Argument(name=p.name, type=types.get(p.name, Any), default=UNSET if p.default is p.empty else p.default)
        for p in keywords
    }
    return tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD), arguments


def _hints(function: Callable[..., Any], names: Sequence[str]) -> dict[str, Any]:
    """Evaluate only these annotations: the others may name types that exist for the type checker alone."""
    raw = {name: hint for name, hint in inspect.get_annotations(function).items() if name in names}
    return get_type_hints(
        SimpleNamespace(__annotations__=raw),
        globalns=getattr(function, "__globals__", {}),
        include_extras=True,
    )


def _value_type(returned: Any) -> Any:
    return get_args(returned)[0] if get_origin(returned) is Observed else returned


def _no_passes(recipe: Recipe, **_arguments: Any) -> Passes:  # noqa: ARG001 - called like every other counter
    return Passes()
