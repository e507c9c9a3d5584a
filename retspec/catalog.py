"""What the loaded plugins offer, gathered once into a frozen catalog.

Built-in checks enter by the same hooks as a stranger's. A plugin that does not load is recorded, not fatal: it turns a
spec red only if the spec needs what it would have offered. Two plugins that claim one name are an error.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from retspec import __version__
from retspec.errors import PluginError, did_you_mean
from retspec.plugin import (
    PARTS,
    PROJECT,
    Argument,
    Check,
    HookSpecs,
    Measurement,
    Reporter,
    Source,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

BUILT_IN = ("retspec.checks", "retspec.measurements", "retspec.subjects", "retspec.reporters")
ALLOW_LIST = "RETSPEC_PLUGINS"
"""Environment variable: names, separated by commas, of the entry points that may load; unset, all may."""

Item = TypeVar("Item", Check, Measurement, Source, Reporter)


@dataclass(frozen=True)
class Plugin:
    """A plugin that was asked for: loaded, or broken with the reason in one line."""

    name: str
    origin: str
    version: str = ""
    error: str = ""
    offers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All checks, measurements, sources and reporters by name, and the plugins that they come from."""

    checks: Mapping[str, Check]
    measurements: Mapping[str, Measurement]
    model_sources: Mapping[str, Source]
    data_sources: Mapping[str, Source]
    reporters: Mapping[str, Reporter]
    plugins: tuple[Plugin, ...] = ()
    named: tuple[str, ...] = ()
    """The plugins that were asked for by file or module: a worker gathers the same ones."""
    entry_points: bool = True
    hooks: pluggy.PluginManager = field(repr=False, compare=False)

    @property
    def broken(self) -> tuple[Plugin, ...]:
        """The plugins that did not load."""
        return tuple(plugin for plugin in self.plugins if plugin.error)

    def inputs_of(self, name: str) -> Iterator[str]:
        """Yield everything that a measurement reads, directly or not, parts of the subject included."""
        for source in self.measurements[name].inputs:
            yield source
            if source not in PARTS:
                yield from self.inputs_of(source)

    def measurements_of(self, check: Check) -> list[str]:
        """Return the measurements that a check reads, directly or not, each once."""
        names = [*check.measurements]
        for name in check.measurements:
            names += [source for source in self.inputs_of(name) if source not in PARTS]
        return list(dict.fromkeys(names))

    def arguments_of(self, check: Check) -> dict[str, Argument]:
        """Return what `with:` may hold for a check: its own arguments and those of its measurements."""
        arguments: dict[str, Argument] = {}
        for name in self.measurements_of(check):
            arguments |= self.measurements[name].arguments
        return arguments | dict(check.arguments)

    def explain_missing(self, name: str, known: Mapping[str, object]) -> str:
        """Return what to add to "unknown x": the near miss, and the broken plugins that may have offered it."""
        hint = did_you_mean(name, known)
        for plugin in self.broken:
            hint += f"; plugin {plugin.name!r} failed to load and may offer it: {plugin.error}"
        return hint


def gather(plugins: Sequence[str] = (), *, entry_points: bool = True, observers: Sequence[object] = ()) -> Catalog:
    """Load the built-in plugins, the installed ones and the given files or modules, and return what they offer.

    plugins: paths of Python files, or dotted module names; one that does not load raises `PluginError`.
    entry_points: whether plugins of the group `retspec` load, as far as the allow-list in the environment permits.
    observers: objects with hook implementations that only watch the run.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    for name in BUILT_IN:
        manager.register(importlib.import_module(name), name)
    loaded = [*_register_entry_points(manager)] if entry_points else []
    loaded += [_register_named(manager, name) for name in plugins]
    for observer in observers:
        manager.register(observer)
    catalog = Catalog(
        checks=_collect(manager, "retspec_checks"),
        measurements=_collect(manager, "retspec_measurements"),
        model_sources=_collect(manager, "retspec_model_sources"),
        data_sources=_collect(manager, "retspec_data_sources"),
        reporters=_collect(manager, "retspec_reporters"),
        plugins=tuple(loaded),
        named=tuple(plugins),
        entry_points=entry_points,
        hooks=manager,
    )
    _require_known_inputs(catalog)
    return catalog


# Loading ------------------------------------------------------------------------------------------


def _register_entry_points(manager: pluggy.PluginManager) -> Iterator[Plugin]:
    allowed = os.environ.get(ALLOW_LIST)
    for point in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda point: point.name):
        if allowed is not None and point.name not in allowed.split(","):
            continue
        version = point.dist.version if point.dist else ""
        try:
            offers = _register(manager, point.load(), point.name)
        except Exception as error:  # noqa: BLE001 - a stranger's import may raise anything; it is shown, not fatal
            yield Plugin(point.name, point.value, version, error=_one_line(error))
        else:
            yield Plugin(point.name, point.value, version, offers=offers)


def _register_named(manager: pluggy.PluginManager, name: str) -> Plugin:
    try:
        module = _import_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
        return Plugin(name, str(getattr(module, "__file__", name)), offers=_register(manager, module, name))
    except Exception as error:
        raise PluginError(f"plugin {name!r} does not load: {_one_line(error)}") from error


def _import_file(path: Path) -> ModuleType:
    """Import one file under a name of its own, without touching `sys.path`: it can shadow nothing."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    name = f"retspec_plugin_{path.stem}_{abs(hash(str(path.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _register(manager: pluggy.PluginManager, module: object, name: str) -> tuple[str, ...]:
    """Register a plugin whole or not at all, and return the names that it offers."""
    manager.register(module, name)
    try:
        manager.check_pending()
        return tuple(sorted(_offered(manager, module)))
    except Exception:
        manager.unregister(module)
        raise


def _offered(manager: pluggy.PluginManager, module: object) -> Iterator[str]:
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    for hook in ("checks", "measurements", "model_sources", "data_sources", "reporters"):
        caller = manager.subset_hook_caller(f"{PROJECT}_{hook}", others)
        for items in caller():
            yield from (item.name for item in items)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# Gathering ----------------------------------------------------------------------------------------


def _collect(manager: pluggy.PluginManager, hook: str) -> dict[str, Any]:
    """Call one hook of every plugin; a name that two plugins claim is an error that names both."""
    found: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        for item in implementation.function():
            if item.name in owners:
                raise PluginError(
                    f"{hook.removeprefix('retspec_')}: {item.name!r} is claimed by both "
                    f"{owners[item.name]} and {implementation.plugin_name}; unload one of them"
                )
            owners[item.name] = implementation.plugin_name
            found[item.name] = item
    return dict(sorted(found.items()))


def _require_known_inputs(catalog: Catalog) -> None:
    """Refuse a check or measurement that asks for a measurement that does not exist, and list those that do."""
    known = {*catalog.measurements, *PARTS}
    readers = {name: check.measurements for name, check in catalog.checks.items()}
    readers |= {name: measurement.inputs for name, measurement in catalog.measurements.items()}
    for reader, names in readers.items():
        for name in names:
            if name not in known:
                raise PluginError(
                    f"{reader}: there is no measurement {name!r}{did_you_mean(name, known)}; "
                    f"there are {', '.join(sorted(known))}"
                )


def versions() -> dict[str, str]:
    """Return the versions of retspec and of what it measures with, as far as they are installed."""
    found = {PROJECT: __version__}
    for package in ("torch", "timm", "peft", "torchvision", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
