"""Plain data that fits the schema, into records. Each piece by itself, so that one fault hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from retspec.records import Criterion, Data, Lora, Model, Recipe, RunOptions, Severity, Value, seconds
from retspec.validate.arguments import RECIPE_KEYS, long_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.catalog import Catalog
    from retspec.errors import Mark
    from retspec.kinds import Check, Source
    from retspec.signatures import Argument


def recipe(section: Mapping[str, Any]) -> Recipe:
    """Return the section `train`."""
    converted: Recipe = _typed(section, Recipe)
    return converted


def run_options(section: Mapping[str, Any]) -> RunOptions:
    """Return the section `run`."""
    converted: RunOptions = _typed(section, RunOptions)
    return converted


def model(section: Mapping[str, Any], sources: Mapping[str, Source]) -> Model:
    """Return the section `model`."""
    wrapped = _typed(section["lora"], Lora) if "lora" in section else None
    return Model(**_source(section, sources), checkpoint=section.get("checkpoint"), lora=wrapped)


def data(section: Mapping[str, Any], sources: Mapping[str, Source]) -> Data:
    """Return the section `data`."""
    return Data(**_source(section, sources))


def criterion(name: str, entry: Any, catalog: Catalog, train: Recipe, mark: Mark) -> Criterion:
    """Return one entry under `checks:`, with everything that it leaves out filled in."""
    check = catalog.checks.get(name) or catalog.checks[entry["check"]]
    form = long_form(catalog, check, entry)
    return Criterion(
        id=name,
        check=check.name,
        direction=check.direction,
        unit=check.unit,
        limit=_limit(form, check),
        warn=_typed(form["warn"], check.value_type) if "warn" in form else None,
        severity=Severity(form.get("severity", Severity.ERROR)),
        arguments=_arguments(form.get("with", {}), catalog.arguments_of(check), train),
        tags=tuple(form.get("tags", ())),
        timeout=seconds(form["timeout"]) if "timeout" in form else None,
        skip=form.get("skip"),
        description=form.get("description", ""),
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


def _limit(form: Mapping[str, Any], check: Check) -> Value | None:
    """Return the limit; a criterion that is skipped may have none."""
    if "limit" not in form:
        return check.default_limit
    limit: Value = _typed(form["limit"], check.value_type)
    return limit


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
    # Lax, because the schema has had its say: 8.0 is an integer there, and keys are text.
    return msgspec.convert(value, annotation, strict=False, str_keys=True)
