"""`data: {loaders: {train: "package.module:callable", val: ...}}`: the loaders of your training, under test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.plugin import PositiveInt, data_source
from retspec.records import Keys
from retspec.subjects.callables import call, load_callable
from retspec.subjects.models.sources.factory_model import Reference

if TYPE_CHECKING:
    from retspec.facts import BatchRequest
    from retspec.subjects.data.user_loaders import UserLoader, UserLoaders


@dataclass(frozen=True, kw_only=True)
class Loaders:
    """The keys under `data.loaders`: functions that take nothing and return a DataLoader or an iterable of batches."""

    train: Annotated[Reference, Meta(description="Returns the loader that trains.")]
    val: Annotated[Reference, Meta(description="Returns the loader that validates.")] | None = None


Batches = Annotated[PositiveInt, Meta(description="Batches of each loader that `bad_batches` looks at.")]


@data_source
def loaders(value: Loaders, _request: BatchRequest, *, sweep: Batches = 50, keys: Keys | None = None) -> UserLoaders:
    """Take the loaders of your training as they are; what needs a single batch gets the first one that trains.

    Each callable returns a torch DataLoader, or any iterable of batches that can be iterated over again. `keys` says
    where inputs and targets are in a batch, where they have none of the usual keys.
    """
    from retspec.subjects.data.user_loaders import UserLoaders

    validation = None if value.val is None else _loader("val", value.val, keys)
    return UserLoaders(_loader("train", value.train, keys), validation, sweep)


def _loader(name: str, reference: str, keys: Keys | None) -> UserLoader:
    from retspec.subjects.data.user_loaders import PATH, UserLoader

    path = f"{PATH}.{name}"
    made = call(reference, load_callable(reference, path=path), {}, path=path)
    if not isinstance(made, Iterable):
        raise SubjectError(
            f"{reference} returned {type(made).__name__}; it must return a DataLoader or an iterable of batches",
            path=path,
        )
    return UserLoader(name, made, keys_in=keys)
