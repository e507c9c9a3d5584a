"""Loading plugins into pluggy: the built-in ones, the installed ones, and those named by file or module.

A plugin is registered completely or not at all. An installed plugin that does not load is recorded with the reason; a
plugin named by the user must load.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from retspec.characters import one_line
from retspec.errors import PluginError, describe_theirs, did_you_mean
from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import API_VERSION, PARTS, PROJECT, Check, Executor, Fault, Measurement, Reporter, Source
from retspec.plugins.signatures import place_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    import pluggy

BUILT_IN = (
    "retspec.checks",
    "retspec.measurements",
    "retspec.subjects.built_in",
    "retspec.report.formats",
    "retspec.cluster",
    "retspec.faults",
)
ALLOW_LIST = "RETSPEC_PLUGINS"
"""Environment variable: names, separated by commas, of the entry points that may load; unset, all may."""

KINDS: Mapping[str, type] = {
    "retspec_checks": Check,
    "retspec_measurements": Measurement,
    "retspec_model_sources": Source,
    "retspec_data_sources": Source,
    "retspec_training_sources": Source,
    "retspec_reporters": Reporter,
    "retspec_executors": Executor,
    "retspec_faults": Fault,
}
"""What each hook returns a list of."""
_FILE = f"{PROJECT}_plugin_"
"""What the names of modules begin with that are imported from a file."""
NO_WRAPPER = (
    "what plugins offer is taken from each by itself, so that no plugin changes or hides what another offers; "
    "wrap observers only"
)
HOOKS = tuple(name for name in vars(HookSpecs) if name.startswith(f"{PROJECT}_"))


@dataclass(frozen=True)
class Plugin:
    """A requested plugin: loaded, or broken with the reason in one line."""

    name: str
    origin: str
    version: str = ""
    error: str = ""
    offers: tuple[str, ...] = ()


def load_plugins(
    manager: pluggy.PluginManager, named: Sequence[str], *, entry_points: bool, recorded: Collection[str] = ()
) -> list[Plugin]:
    """Register all plugins and return those that are not built in.

    Raises PluginError when a plugin in `named` does not load, unless it is in `recorded`.
    """
    for name in BUILT_IN:
        manager.register(importlib.import_module(name), name)
    loaded = [_register_entry_point(manager, point) for point in _allowed_entry_points()] if entry_points else []
    return loaded + [_register_named(manager, name, is_recorded=name in recorded) for name in _distinct(named)]


def offered_by(implementation: pluggy.HookImpl, hook: str) -> list[Any]:
    """Call a hook of one plugin; raises PluginError for anything but a list of the right kind."""
    items, kind = implementation.function(), KINDS[hook]
    if not isinstance(items, list | tuple):
        found = type(items).__name__
        raise _mistake(implementation.function, f"{hook} returned {found}; it must return a list of {kind.__name__}")
    for item in items:
        if not isinstance(item, kind):
            found = f"{getattr(item, 'name', getattr(item, '__name__', repr(item)))}, a {type(item).__name__}"
            message = f"{hook} returned {found}; it must return a list of {kind.__name__}"
            raise _mistake(implementation.function, message)
    return [*items]


def unknown_input(reader: Check | Measurement, known: Iterable[str]) -> str:
    """Return what is wrong with the inputs that a check or measurement asks for, or an empty string."""
    names, parts = (reader.measurements, ()) if isinstance(reader, Check) else (reader.inputs, PARTS)
    known = {*known, *parts}
    for name in names:
        if name in PARTS and name not in known:
            return (
                f"{reader.name}: a check reads measurements, and {name!r} is a part of the subject; write a function "
                f"of {name!r} with `@measurement`, offer it by the hook retspec_measurements, and take its name"
            )
        if name not in known:
            near = did_you_mean(name, known)
            return f"{reader.name}: there is no measurement {name!r}{near}; there are {', '.join(sorted(known))}"
    return ""


def _allowed_entry_points() -> list[importlib.metadata.EntryPoint]:
    points = sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda point: point.name)
    allowed = os.environ.get(ALLOW_LIST)
    if allowed is None:
        return points
    names = {name.strip() for name in allowed.split(",")}
    return [point for point in points if point.name in names]


def _register_entry_point(manager: pluggy.PluginManager, point: importlib.metadata.EntryPoint) -> Plugin:
    version = point.dist.version if point.dist else ""
    try:
        offers = _register(manager, point.load(), point.name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - third-party code may raise anything: shown, not fatal
        return Plugin(point.name, point.value, version, error=_why(error))
    return Plugin(point.name, point.value, version, offers=offers)


def _register_named(manager: pluggy.PluginManager, name: str, *, is_recorded: bool) -> Plugin:
    try:
        module = import_plugin(name)
        return Plugin(name, str(getattr(module, "__file__", name)), offers=_register(manager, module, name))
    except (Exception, SystemExit) as error:
        if is_recorded:
            return Plugin(name, name, error=_why(error))
        raise PluginError(f"plugin {name!r} does not load: {_why(error)}") from error


def import_plugin(name: str) -> ModuleType:
    """Import a plugin by the name of its module, or by the path of its file."""
    return _import_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)


def importable_name(module: ModuleType) -> str:
    """Return by what `import_plugin` imports the same module in another process."""
    return str(module.__file__) if module.__name__.startswith(_FILE) else module.__name__


def _distinct(plugins: Sequence[str]) -> Iterable[str]:
    """Return each plugin once: a spec and the command line may name the same file, spelt in two ways."""
    return {Path(name).resolve() if name.endswith(".py") else name: name for name in plugins}.values()


def _import_file(path: Path) -> ModuleType:
    """Import one file under a unique name, without touching `sys.path`, so that it shadows nothing."""
    if not path.is_file():
        raise PluginError(f"there is no file {path}{did_you_mean(path.name, (near.name for near in _beside(path)))}")
    name = f"{_FILE}{path.stem}_{abs(hash(str(path.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _beside(path: Path) -> Iterable[Path]:
    return path.parent.glob("*.py") if path.parent.is_dir() else ()


def _register(manager: pluggy.PluginManager, plugin: object, name: str) -> tuple[str, ...]:
    """Register a plugin completely or not at all, and return the names that it offers.

    A plugin that is both installed and named counts once.
    """
    if manager.is_registered(plugin):
        return _names(_offers(manager, plugin))
    _require_api(plugin)
    if manager.has_plugin(name):
        raise PluginError("another plugin has the same name")
    measurements = [item for item in _offers(manager) if isinstance(item, Measurement)]
    try:
        manager.register(plugin, name)
        _require_hooks(manager, plugin)
        items = list(_offers(manager, plugin))
        _require_usable(items, measurements)
    except BaseException:  # a hook may call sys.exit: what does not load must offer nothing
        if manager.is_registered(plugin):
            manager.unregister(plugin)
        raise
    return _names(items)


def _names(items: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(item.name for item in items))


def _require_api(plugin: object) -> None:
    """Refuse a plugin that declares a newer plugin API."""
    version = getattr(plugin, "RETSPEC_API", API_VERSION)
    if type(version) is not int or version < 1:
        raise PluginError(f"RETSPEC_API is {version!r}; it is the number of a plugin API, here {API_VERSION}")
    if version > API_VERSION:
        raise PluginError(f"built for plugin API {version}, this is {API_VERSION}: update retspec")


def _require_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    """Refuse a plugin with hooks that would never be called, or without any hook."""
    marked = {
        caller.name: implementation
        for caller in manager.get_hookcallers(plugin) or ()
        for implementation in caller.get_hookimpls()
        if implementation.plugin is plugin
    }
    for name, implementation in marked.items():
        if name not in HOOKS and not implementation.optionalhook:
            message = f"unknown hook {name!r}{did_you_mean(name, HOOKS)}; there are {', '.join(HOOKS)}"
            raise _mistake(implementation.function, message)
        if name in KINDS and (implementation.wrapper or implementation.hookwrapper):
            raise _mistake(implementation.function, f"{name} is a wrapper; {NO_WRAPPER}")
    for name in HOOKS:
        function = inspect.getattr_static(plugin, name, None)
        if name not in marked and inspect.isfunction(function):
            raise _mistake(function, f"{name} lacks its @hookimpl: it would never be called")
    if not marked:
        raise PluginError("it has no hook; a plugin has a function such as retspec_checks, marked with @hookimpl")


def _mistake(function: object, message: str) -> PluginError:
    """Return what is wrong with a function of a plugin, with its place."""
    place = place_of(function)
    return PluginError(f"{place}: {message}" if place else message)


def _offers(manager: pluggy.PluginManager, module: object | None = None) -> Iterator[Any]:
    """Yield what one plugin offers, or what all plugins offer."""
    for hook in KINDS:
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if module is None or implementation.plugin is module:
                yield from offered_by(implementation, hook)


def _require_usable(items: Sequence[Any], others: Sequence[Measurement]) -> None:
    """Refuse a plugin whose checks read unknown measurements, or take types that no schema describes."""
    known = [item.name for item in (*items, *others) if isinstance(item, Measurement)]
    for item in items:
        if isinstance(item, Reporter | Fault):
            continue
        if isinstance(item, Check | Measurement) and (problem := unknown_input(item, known)):
            raise _mistake(item.function, problem)
        for argument in item.arguments.values():
            _require_schema(item, argument.type, f"argument {argument.name!r} of {item.name}")
        if isinstance(item, Check | Source):
            owner = f"what {item.name} returns" if isinstance(item, Check) else item.name
            _require_schema(item, item.value_type, owner)


def _require_schema(item: Check | Measurement | Source | Executor, annotation: Any, owner: str) -> None:
    try:
        msgspec.json.schema(annotation)
    except TypeError as error:
        raise _mistake(item.function, f"{owner}: no schema describes the type {annotation}") from error


def _why(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return one_line(str(error))
    lacks = isinstance(error, ImportError) and (error.name or "").partition(".")[0] == PROJECT
    hint = f"; this retspec has plugin API {API_VERSION}, is the plugin built for another?" if lacks else ""
    return describe_theirs(error) + hint
