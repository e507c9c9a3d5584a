"""What the loaded plugins offer, gathered once into a frozen catalog.

Built-in checks use the same hooks as third-party ones. A plugin that does not load is recorded, not fatal: it turns a
spec red only if the spec needs what the plugin would have offered. Two plugins that claim one name are an error.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import pluggy

from retspec._version import __version__
from retspec.errors import PluginError, describe, did_you_mean
from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import PARTS, PROJECT, RECIPE, Check, Executor, Fault, Measurement, Reporter, Source
from retspec.plugins.loading import Plugin, load_plugins, offered_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from retspec.plugins.signatures import Argument


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalog:
    """All checks, measurements, sources, reporters, executors and faults by name, and the plugins that they come from.

    It is equal only to itself, so that results derived from it can be cached.
    """

    checks: Mapping[str, Check]
    measurements: Mapping[str, Measurement]
    model_sources: Mapping[str, Source]
    data_sources: Mapping[str, Source]
    reporters: Mapping[str, Reporter]
    executors: Mapping[str, Executor] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    training_sources: Mapping[str, Source] = field(default_factory=dict)
    """The recipe included, which is not a key under `train:`: its own keys are there instead."""
    plugins: tuple[Plugin, ...] = ()
    named: tuple[str, ...] = ()
    """The plugins named by file or module: a worker gathers the same ones."""
    entry_points: bool = True
    hooks: pluggy.PluginManager = field(repr=False)

    @property
    def distributions(self) -> tuple[str, ...]:
        """The packages that a run measures with: the core's own, and those of the model sources."""
        sources = [name for source in self.model_sources.values() for name in source.library.distributions]
        return tuple(dict.fromkeys(("torch", *sources, "peft", "torchvision", "pillow", "numpy")))

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The versions of retspec and of these packages, as far as they are installed."""
        return versions(self.distributions)

    @property
    def broken(self) -> tuple[Plugin, ...]:
        """The plugins that did not load."""
        return tuple(plugin for plugin in self.plugins if plugin.error)

    @property
    def training_keys(self) -> Mapping[str, Source]:
        """The kinds of training that a key under `train:` names: all but the recipe, whose own keys are there."""
        return {name: source for name, source in self.training_sources.items() if name != RECIPE}

    @property
    def launchers(self) -> Sequence[Source]:
        """The kinds of training that start the user's own."""
        return [source for source in self.training_sources.values() if source.launches]

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

    def parts_of(self, check: Check) -> frozenset[str]:
        """Return the parts of the subject that a check reads, directly or not."""
        return frozenset(part for name in check.measurements for part in self.inputs_of(name) if part in PARTS)

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
            hint += f"; plugin {plugin.name!r} failed to load and may offer it"
            hint += "" if plugin.name in self.named else f": {plugin.error}"
        return hint


def gather(
    plugins: Sequence[str] = (),
    *,
    entry_points: bool = True,
    observers: Sequence[object] = (),
    recorded: Collection[str] = (),
) -> Catalog:
    """Load the built-in plugins, the installed ones and the given files or modules, and return what they offer.

    plugins: paths of Python files, or dotted module names; one that does not load raises `PluginError`.
    entry_points: whether plugins of the group `retspec` load, as far as the allow-list in the environment permits.
    observers: objects with hook implementations that only watch the run.
    recorded: those of `plugins` that may fail to load, as an installed one may: `validate` reports where a spec names
        them, with all else that is wrong.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    loaded = load_plugins(manager, plugins, entry_points=entry_points, recorded=recorded)
    for number, observer in enumerate(observers, 1):
        manager.register(observer, f"observer {number} ({type(observer).__name__})")
    catalog = Catalog(
        checks=_collect(manager, "retspec_checks"),
        measurements=_collect(manager, "retspec_measurements"),
        model_sources=_collect(manager, "retspec_model_sources"),
        data_sources=_collect(manager, "retspec_data_sources"),
        training_sources=_collect(manager, "retspec_training_sources"),
        reporters=_collect(manager, "retspec_reporters"),
        executors=_collect(manager, "retspec_executors"),
        faults=_collect(manager, "retspec_faults"),
        plugins=tuple(loaded),
        named=tuple(plugins),
        entry_points=entry_points,
        hooks=manager,
    )
    _require_no_circle(catalog)
    return catalog


# Gathering ----------------------------------------------------------------------------------------


def _collect(manager: pluggy.PluginManager, hook: str) -> dict[str, Any]:
    """Call one hook of every plugin; a name that two plugins claim is an error that names both."""
    found: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        for item in _offered(implementation, hook):
            if item.name in owners:
                raise PluginError(
                    f"{hook.removeprefix('retspec_')}: {item.name!r} is claimed by both "
                    f"{owners[item.name]} and {implementation.plugin_name}; unload one of them"
                )
            owners[item.name] = implementation.plugin_name
            found[item.name] = item
    return dict(sorted(found.items()))


def _offered(implementation: pluggy.HookImpl, hook: str) -> list[Any]:
    """Call a hook once more: one that answered while its plugin was loaded may still fail now."""
    try:
        return offered_by(implementation, hook)
    except PluginError as error:
        raise PluginError(f"plugin {implementation.plugin_name!r}: {error}") from error
    except (Exception, SystemExit) as error:
        raise PluginError(f"plugin {implementation.plugin_name!r}: its hook {hook} raised {describe(error)}") from error


def _require_no_circle(catalog: Catalog) -> None:
    """Refuse measurements that read each other in a circle."""
    inputs = {name: measurement.inputs for name, measurement in catalog.measurements.items()}
    try:
        TopologicalSorter(inputs).prepare()
    except CycleError as error:
        raise PluginError(f"measurements read each other in a circle: {' → '.join(error.args[1])}") from None


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions of retspec and of these packages, as far as they are installed."""
    found = {PROJECT: __version__}
    for package in distributions:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
