"""What a schema cannot say about a criterion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.records import EXPRESSIONS, LOSSES, NAMED_LOSSES, Aggregate, Criterion, Direction, Value, decided_by
from retspec.spec.validate.context import Finding

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check
    from retspec.records import Model, Recipe

_NEEDS = {
    "own_optimizers": (
        {"own_optimizers"},
        "asks about an optimizer of yours, and the spec names none; add `train: {{script: train.py}}`",
    ),
    "model": (
        {"model", "build_again", "skeleton", "own_optimizers"},
        "measures a model, and the spec has none; add the section `model:`",
    ),
    "watched": (
        {"watched_run"},
        "watches a training of your own, and the spec names none; add `train: {{script: train.py}}`",
    ),
    "ranks": (
        {"ranked_run"},
        "runs a training of your own on ranks, and the spec names none; add `train: {{script: train.py, ranks: 2}}`",
    ),
    "predictions": (
        {"prediction_files"},
        "reads predictions, and the spec names none; add `predictions: {{csv: test.csv, id: ..., label: ..., ...}}`",
    ),
    "config": ({"config"}, "reads the training config, and the spec names none; add `config: path.yaml`"),
    "files": ({"dataset", "transforms"}, "measures files, and `data` names none; use {} there"),
    "loaders": (
        {"loaders"},
        'reads loaders, and `data` names none; write `loaders: {{train: "pkg:f"}}`, or `train: {{script: train.py}}`',
    ),
    "epochs": (
        {"epochs"},
        'reads a loader of yours, and `data` names none; use `loaders: {{train: "pkg:f"}}` there, or `train.ranks`',
    ),
    "feed": (
        {"feed"},
        "needs batch after batch, and `data` gives a single one; use {} there, or a DataLoader of yours",
    ),
}
"""What a spec gives, to the parts of the subject that come from it, and what a criterion lacks without it."""


def broken_rules(criterion: Criterion, catalog: Catalog, sections: Container[str]) -> Iterator[Finding]:
    """Yield what is wrong with a criterion that fits the schema.

    sections: the sections that the spec has, `files` if its data names some, `feed` if it may give batch after batch.
    """
    yield from broken_bounds(criterion)
    yield from _median_of_none(criterion)
    yield from _idle_limit(criterion, catalog.checks[criterion.check])
    if criterion.waive is not None and criterion.skip is not None:
        message = f"{criterion.id} is skipped, so that there is no miss to waive; keep one of `skip` and `waive`"
        yield Finding(("checks", criterion.id, "waive"), message, on_key=True)
    read = _inputs_of(catalog, catalog.checks[criterion.check])
    for section, (parts, lacks) in _NEEDS.items():
        if section not in sections and criterion.skip is None and parts & read:
            message = f"{criterion.check} {lacks.format(_sources_of_files(catalog))}"
            yield Finding(("checks", criterion.id), message, on_key=True)
            if section == "own_optimizers":  # which brings a model, or is asked for with one
                return


def _sources_of_files(catalog: Catalog) -> str:
    return " or ".join(f"`{name}:`" for name, source in catalog.data_sources.items() if source.gives_files)


def broken_recipe(section: Mapping[str, object], recipe: Recipe) -> Iterator[Finding]:
    """Yield what is wrong with the recipe that the section `train` holds."""
    if recipe.stop_at_drop is not None and recipe.min_steps > recipe.steps:
        place, default = ("min_steps", "") if "min_steps" in section else ("stop_at_drop", " by default")
        message = (
            f"train.stop_at_drop can never end a training: min_steps is {recipe.min_steps}{default}, and there are "
            f"{recipe.steps} steps; lower `min_steps`, to 3 at least, or raise `steps`"
        )
        yield Finding(("train", place), message)
    optimizer = section.get("optimizer")
    if isinstance(optimizer, dict) and "lr" in optimizer and "lr" in section:
        yield Finding(("train", "lr"), "train.lr is given twice; keep it here or under `optimizer`", on_key=True)
    decided = {key: by for key, by in decided_by(recipe).items() if key in section}
    for key, by in decided.items():
        message = f"train.{key} says nothing beside `{by}: {getattr(recipe, by)}`, which decides it; remove one of them"
        yield Finding(("train", key), message, on_key=True)
    for key, is_given in (("label_smoothing", recipe.label_smoothing), ("class_weights", recipe.class_weights)):
        if is_given and key not in decided and recipe.loss != "cross_entropy":
            message = f"train.{key} goes with the loss cross_entropy, and the loss is {recipe.loss}; remove one of them"
            yield Finding(("train", key), message, on_key=True)


def broken_task(section: Mapping[str, object], recipe: Recipe) -> Iterator[Finding]:
    """Yield a loss by name that does not go with the task."""
    if recipe.task is None or recipe.step is not None or recipe.loss not in NAMED_LOSSES:
        return
    fitting = LOSSES[recipe.task]
    if recipe.loss not in fitting:
        own = "a function of yours, `loss: package.module:callable`, or a `step`"
        known = f"{', '.join(fitting)}, or {own}" if fitting else own
        message = f"train.loss is {recipe.loss}, and the task {recipe.task} takes {known}"
        yield Finding(("train", "loss" if "loss" in section else "task"), message)


def broken_adapter(model: Model) -> Iterator[Finding]:
    """Yield what is wrong with the adapter of a model beyond the types of its keys."""
    if model.peft is not None:
        for other in ("lora", "adapter"):
            if getattr(model, other) is not None:
                message = f"model.peft and model.{other} are two ways to add an adapter; keep one"
                yield Finding(("model", "peft"), message, on_key=True)
        yield from _broken_keys("peft", model.peft.arguments, names_blocks=model.peft.names_blocks)
    if model.lora is not None:
        yield from _broken_keys("lora", vars(model.lora), names_blocks=model.lora.names_blocks)


def _broken_keys(section: str, given: Mapping[str, Any], *, names_blocks: bool) -> Iterator[Finding]:
    place, name = ("model", section), f"model.{section}"
    if given.get("layers_pattern") and not names_blocks:
        message = f"{name}.layers_pattern says nothing without layers_to_transform; add `layers_to_transform:`"
        yield Finding((*place, "layers_pattern"), message, on_key=True)
    if isinstance(given["target_modules"], str) and names_blocks:
        message = f"{name}.layers_to_transform goes with a list of target_modules, not with a regular expression"
        yield Finding((*place, "layers_to_transform"), message, on_key=True)
    for key in EXPRESSIONS:
        if isinstance(pattern := given.get(key), str) and (flaw := _flaw(pattern)):
            yield Finding((*place, key), f"{name}.{key}: {flaw}")
    for key, patterns in given.items():
        for pattern in patterns if key.endswith("_pattern") and isinstance(patterns, dict) else ():
            if flaw := _flaw(pattern):
                yield Finding((*place, key, pattern), f"{name}.{key}: {flaw}", on_key=True)


def _flaw(pattern: str) -> str:
    """Return why a text is no regular expression, or an empty string."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"{quoted(pattern)} is no regular expression: {error}"
    return ""


def broken_bounds(criterion: Criterion) -> Iterator[Finding]:
    """Yield what is wrong with the bounds of a criterion, as far as they are known."""
    if criterion.warn is not None:
        yield from _warn(criterion, criterion.warn)
    if criterion.regression is not None and criterion.direction is Direction.EQUAL:
        message = f"{criterion.check} must equal its limit: nothing is worse than a baseline, so it takes no `vs`"
        yield Finding(("checks", criterion.id, "vs"), message, on_key=True)


def _median_of_none(criterion: Criterion) -> Iterator[Finding]:
    """Yield a median of values that have no order."""
    if criterion.aggregate is Aggregate.MEDIAN and criterion.direction is Direction.EQUAL:
        message = f"{criterion.check} must equal its limit under every seed: there is no median; write worst or all"
        yield Finding(("checks", criterion.id, "aggregate"), message)


def _idle_limit(criterion: Criterion, check: Check) -> Iterator[Finding]:
    """Yield a limit that nothing can miss."""
    if criterion.limit is not None and (why := check.why_never_missed(criterion.limit)):
        message = f"{criterion.id}: the limit {criterion.limit} is never missed: {why}"
        yield Finding(("checks", criterion.id), message)


def doubts(criterion: Criterion, check: Check) -> Iterator[Finding]:
    """Yield a limit that hardly anything misses: that is no error, and likely none that was meant."""
    if criterion.limit is not None and (why := check.why_rarely_missed(criterion.limit)):
        message = f"{criterion.id}: the limit {criterion.limit} is hardly ever missed: {why}"
        yield Finding(("checks", criterion.id), message)


def _inputs_of(catalog: Catalog, check: Check) -> set[str]:
    """Return all that the measurements of a check read, parts of the subject included."""
    return {source for name in check.measurements for source in catalog.inputs_of(name)}


def _warn(criterion: Criterion, warn: Value) -> Iterator[Finding]:
    place = ("checks", criterion.id, "warn")
    if criterion.direction is Direction.EQUAL:
        yield Finding(
            place,
            f"{criterion.check} must equal its limit: nothing is stricter, so it takes no `warn`",
            on_key=True,
        )
    elif criterion.limit is not None and not criterion.direction.is_stricter(warn, criterion.limit):
        side = "below" if criterion.direction is Direction.AT_MOST else "above"
        message = f"{criterion.id}: warn is {warn}, but only a value {side} the limit {criterion.limit} is stricter"
        yield Finding(place, message)
