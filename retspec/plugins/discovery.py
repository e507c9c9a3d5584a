"""Finding what the modules of a package define."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, TypeVar

from retspec.plugins.kinds import Check, Executor, Fault, Measurement, Reporter, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

T = TypeVar("T", Check, Measurement, Source, Reporter, Executor, Fault)


def discover(package: ModuleType, kind: type[T]) -> list[T]:
    """Import every module of a package and return all its objects of a kind, such as `Check`, sorted by name."""
    found = {id(item): item for module in _modules(package) for item in vars(module).values() if isinstance(item, kind)}
    return sorted(found.values(), key=lambda item: str(item.name))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)
