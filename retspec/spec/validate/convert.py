"""Plain data that fits the schema, into records. Each piece by itself, so that one fault hides no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from retspec.records import (
    LORA_ALIASES,
    LOSSES,
    PEFT_KEYS,
    RECIPE_KEYS,
    Aggregate,
    CheckpointFile,
    Criterion,
    Data,
    Judged,
    Lora,
    Model,
    Peft,
    PredictionFiles,
    Recipe,
    Regression,
    RunOptions,
    Severity,
    TrainingSource,
    Value,
    Waiver,
    is_reference,
    peft_type,
    seconds,
)
from retspec.spec.validate.arguments import BESIDE_FILES, beside, long_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.errors import Mark
    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check, Executor, Source
    from retspec.plugins.signatures import Argument


@dataclass(frozen=True)
class Defaults:
    """What the rest of a spec says for all of its criteria."""

    train: Recipe
    dtype: str
    cell: str = ""


def recipe(section: Mapping[str, Any]) -> Recipe:
    """Return the recipe that the section `train` holds; a rate beside the optimizer's name is the one of the recipe.

    An optimizer of the user's own has its rates: the recipe then has none. A task brings its loss.
    """
    optimizer = section.get("optimizer")
    if "loss" not in section and (losses := LOSSES.get(section.get("task", ""))):
        section = {**section, "loss": losses[0]}
    if is_reference(optimizer):
        section = {**section, "lr": None}
    if isinstance(optimizer, dict):
        own = {name: value for name, value in optimizer.items() if name != "lr"}
        rate = {"lr": optimizer["lr"]} if "lr" in optimizer else {}
        section = {**section, "optimizer": own if len(own) > 1 else own["name"], **rate}
    converted: Recipe = _typed(section, Recipe)
    return converted


def training(section: Mapping[str, Any], sources: Mapping[str, Source]) -> tuple[Recipe, TrainingSource | None]:
    """Return the section `train`: the recipe, or another kind of training with the keys that it shares with it."""
    if not any(name in sources for name in section):
        return recipe(section), None
    chosen = _source(section, sources)
    declared = sources[chosen["source"]].arguments
    given = chosen.pop("arguments")
    filled = {name: argument.default for name, argument in declared.items() if not argument.is_required} | given
    shared = {name: value for name, value in {**section, **filled}.items() if name in RECIPE_KEYS}
    own = {name: value for name, value in given.items() if name not in RECIPE_KEYS}
    return _typed(shared, Recipe), TrainingSource(**chosen, arguments=own)


def run_options(section: Mapping[str, Any], executors: Mapping[str, Executor]) -> RunOptions:
    """Return the section `run`, whose resources are the arguments of the executor."""
    converted: RunOptions = _typed(section, RunOptions)
    declared = executors[converted.executor].arguments if converted.executor in executors else {}
    given = {
        name: _typed(value, declared[name].type) for name, value in converted.resources.items() if name in declared
    }
    return replace(converted, resources=given)


def model(section: Mapping[str, Any], sources: Mapping[str, Source]) -> Model:
    """Return the section `model`."""
    wrapped = _lora(section["lora"]) if "lora" in section else None
    return Model(
        **_source(section, sources),
        checkpoint=_typed(section.get("checkpoint"), CheckpointFile | None),
        checkpoint_sha256=section.get("checkpoint_sha256"),
        fill=section.get("fill", True),
        lora=wrapped,
        peft=_peft(section["peft"]) if "peft" in section else None,
        adapter=section.get("adapter"),
        forward=section.get("forward", {}),
        output=section.get("output"),
        adapters=section.get("adapters"),
    )


def _lora(section: Mapping[str, Any]) -> Lora:
    """Return the section `lora`, in which peft's own names may be used."""
    named = {LORA_ALIASES.get(key, key): value for key, value in section.items()}
    if len(named) < len(section):
        twice = next(alias for alias, name in LORA_ALIASES.items() if alias in section and name in section)
        raise msgspec.ValidationError(f"lora gives {LORA_ALIASES[twice]} and {twice}, which are the same; keep one")
    converted: Lora = _typed(named, Lora)
    return converted


def _peft(section: Mapping[str, Any]) -> Peft:
    """Return the section `peft`, whose keys are those of its type."""
    kind = peft_type(section["type"])
    given = {name: value for name, value in section.items() if name != "type"}
    return Peft(type=kind, arguments={name: _typed(value, PEFT_KEYS[kind][name]) for name, value in given.items()})


def data(section: Mapping[str, Any], sources: Mapping[str, Source]) -> Data:
    """Return the section `data`."""
    source = _source(section, sources)
    keys = [name for name in beside(sources[source["source"]]) if name in section]
    return Data(**source, **{name: _typed(section[name], BESIDE_FILES[name]) for name in keys})


def predictions(section: Mapping[str, Any]) -> PredictionFiles:
    """Return the section `predictions`."""
    converted: PredictionFiles = _typed(section, PredictionFiles)
    return converted


def criterion(name: str, entry: Any, catalog: Catalog, defaults: Defaults, mark: Mark) -> Criterion:
    """Return one entry under `checks:`, with everything that it leaves out filled in.

    Raises msgspec.ValidationError for a value that its type refuses, or a limit without one for the
    dtype of the run.
    """
    check = catalog.checks.get(name) or catalog.checks[entry["check"]]
    form = long_form(catalog, check, entry)
    return Criterion(
        id=name,
        cell=defaults.cell,
        check=check.name,
        direction=check.direction,
        unit=check.unit,
        limit=_limit(form, check, defaults.dtype),
        warn=_bound(form, "warn", check, defaults.dtype) if "warn" in form else None,
        regression=_regression(form),
        judge=Judged(form["judge"]) if "judge" in form else None,
        aggregate=Aggregate(form["aggregate"]) if "aggregate" in form else None,
        severity=Severity(form.get("severity", Severity.ERROR)),
        arguments=_arguments(form.get("with", {}), catalog.arguments_of(check), defaults.train),
        tags=tuple(form.get("tags", ())),
        timeout=seconds(form["timeout"]) if "timeout" in form else None,
        skip=form.get("skip"),
        waive=_typed(form["waive"], Waiver) if "waive" in form else None,
        description=form.get("description", ""),
        question=check.question,
        advice=check.advice,
        mark=mark,
    )


def _source(section: Mapping[str, Any], sources: Mapping[str, Source]) -> dict[str, Any]:
    source = sources[next(name for name in section if name in sources)]
    beside = {name: value for name, value in section.items() if name in source.arguments}
    return {
        "source": source.name,
        "value": _typed(section[source.name], source.value_type),
        "arguments": {name: _typed(value, source.arguments[name].type) for name, value in beside.items()},
    }


def _limit(form: Mapping[str, Any], check: Check, dtype: str) -> Value | None:
    """Return the limit; a criterion that is skipped, or compared with a baseline, may have none."""
    if "limit" in form:
        return _bound(form, "limit", check, dtype)
    return None if "vs" in form else check.default_limit


def _bound(form: Mapping[str, Any], key: str, check: Check, dtype: str) -> Value:
    """Return a bound, or one for each dtype that the model can have."""
    given = form[key]
    if isinstance(given, dict):
        if dtype not in given:
            known = ", ".join(given)
            raise msgspec.ValidationError(
                f"no {key} for {dtype}, which is the `run.dtype` of this spec; there are {known}"
            )
        given = given[dtype]
    bound: Value = _typed(given, check.value_type)
    return bound


def _regression(form: Mapping[str, Any]) -> Regression | None:
    return Regression(vs=form["vs"], most=form["max_regression"]) if "vs" in form else None


def _arguments(given: Mapping[str, Any], declared: Mapping[str, Argument], train: Recipe) -> dict[str, Any]:
    """Fill in defaults; an argument without one that is named like a key of `train:` is taken from there."""
    filled: dict[str, Any] = {}
    for name, argument in declared.items():
        if name in given:
            filled[name] = _typed(given[name], argument.type)
        elif argument.default is not UNSET:
            filled[name] = argument.default
        elif name in RECIPE_KEYS:
            filled[name] = getattr(train, name)
    return filled


def _typed(value: Any, annotation: Any) -> Any:
    # Lax, because the schema has checked it: 8.0 is an integer there, and keys are text.
    return msgspec.convert(value, annotation, strict=False, str_keys=True)
