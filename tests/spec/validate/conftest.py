"""A small catalog, made with the real decorators: one check for every shape that a criterion can have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pluggy
import pytest
from msgspec import Meta

from retspec.plugin import (
    Check,
    Cost,
    Measurement,
    Observed,
    check,
    data_source,
    dataset_source,
    measurement,
    model_source,
)
from retspec.plugins.catalog import Catalog


@measurement(cost=Cost.TRAINING)
def training(model: Any, batch: Any, trainer: Any, *, steps: int) -> object:
    """A short training."""
    return model, batch, trainer, steps


@measurement(cost=Cost.STATIC)
def parameters(skeleton: Any) -> object:
    """The parameters."""
    return skeleton


@measurement(cost=Cost.STATIC)
def samples(batch: Any, *, splits: list[str] | str = ()) -> object:  # type: ignore[assignment]
    """What the data holds."""
    return batch, splits


@measurement(cost=Cost.STATIC)
def files(dataset: Any) -> object:
    """The files of the data."""
    return dataset


@check(direction="at least", advice="Raise the learning rate.")
def loss_drop(
    training: Any,
    *,
    relative_to: Annotated[Literal["first", "previous"], Meta(description="Which loss counts.")] = "first",
) -> Annotated[float, Meta(le=1)]:
    """By which fraction did the loss drop?

    Example:
        loss_drop: 0.5
    """
    return float(training or relative_to)


@check(direction="at most", unit="parameters", advice="Lower the rank.")
def max_trainable_params(parameters: Any) -> Observed[int]:
    """How many parameters train?"""
    return Observed(parameters)


@check(direction="at most", advice="Compare dropout and scaling.")
def merge_atol(training: Any, *, batches: Annotated[int, Meta(ge=1)] | None = None) -> float:
    """How far is the merged model from the adapter?"""
    return float(training or batches)


@check(direction="equal", default_limit=0, shorthand="patterns", advice="Freeze the rest.")
def trainable_names(
    parameters: Any, *, patterns: Annotated[list[str], Meta(min_length=1, description="Regular expressions.")]
) -> int:
    """Do only the intended parameters train?"""
    return len(patterns) + bool(parameters)


@check(direction="at most", default_limit=0.0, shorthand="expected", advice="Compare the counts.")
def rank_params(parameters: Any, *, expected: Annotated[dict[int, int], Meta(min_length=1)]) -> float:
    """Has the adapter the expected size at every rank?"""
    return len(expected) + bool(parameters)


@check(direction="equal", default_limit=True, advice="Name the head in modules_to_save.")
def head_trainable(parameters: Any) -> bool:
    """Does the head train?"""
    return bool(parameters)


@check(direction="equal", advice="Compare the shapes.")
def output_shape(parameters: Any) -> tuple[int, ...]:
    """Which shape has the output?"""
    return (int(parameters),)


@check(direction="at most", advice="Balance the classes.")
def max_class_imbalance(samples: Any, *, column: str) -> float:
    """How much larger is the largest class than the smallest?"""
    return len(column) + bool(samples)


@check(direction="at most", default_limit=0, advice="Look for the files.")
def missing_files(files: Any) -> int:
    """Is every file there?"""
    return len(files)


@model_source
def timm(name: str, *, kwargs: dict[str, Any] = {}, checkpoint: str | None = None) -> object:  # noqa: B006 - never called
    """A model of timm, by name."""
    return name, kwargs, checkpoint


@model_source
def factory(
    reference: Annotated[str, Meta(pattern=r"^[\w.]+:\w+$", examples=["package.module:callable"])],
    *,
    kwargs: dict[str, Any] = {},  # noqa: B006 - never called
) -> object:
    """What a function of yours returns."""
    return reference, kwargs


@data_source
def synthetic(options: dict[str, int], request: Any) -> object:
    """Random numbers."""
    return options, request


@data_source
def csv(path: str, request: Any, *, image: str, label: str = "label") -> object:
    """A table of files and labels."""
    return path, request, image, label


@dataset_source
def imagefolder(root: str, folder: Any) -> object:
    """A folder per class."""
    return root, folder


ITEMS = (
    *(training, parameters, samples, files, missing_files),
    *(loss_drop, max_trainable_params, merge_atol, trainable_names, rank_params),
    *(head_trainable, output_shape, max_class_imbalance),
)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog(
        checks={item.name: item for item in ITEMS if isinstance(item, Check)},
        measurements={item.name: item for item in ITEMS if isinstance(item, Measurement)},
        model_sources={source.name: source for source in (timm, factory)},
        data_sources={source.name: source for source in (synthetic, csv, imagefolder)},
        reporters={},
        hooks=pluggy.PluginManager("retspec"),
    )
