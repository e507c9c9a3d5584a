"""The options that several commands share, named as the parameters of `retspec.run` are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from retspec.cli import completing
from retspec.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass
class Settings:
    """What the error boundary needs to know after the command has ended."""

    verbose: bool = False
    arguments: tuple[str, ...] = ()
    """The command line, for a command that starts itself again."""


class Plugins(TypedDict):
    """Which plugins load besides the built-in ones."""

    plugins: tuple[str, ...]
    entry_points: bool


class Planning(Plugins):
    """What shapes a plan: the plugins, the overrides, the selection."""

    overrides: tuple[str, ...]
    select: tuple[str, ...]
    tags: tuple[str, ...]
    skip: tuple[str, ...]


class SpecFile(click.Path):
    """The path of an existing spec; a misspelt one fails with the nearest match."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; a usage error if there is no such file."""
        path = Path(value)
        if not path.exists():
            self.fail(f"there is no file {str(path)!r}{did_you_mean(str(path), _specs_beside(path))}", param, ctx)
        return super().convert(value, param, ctx)


def _specs_beside(path: Path) -> list[str]:
    return [str(spec) for suffix in ("*.yaml", "*.yml") for spec in path.parent.glob(suffix)]


def examples(*lines: str) -> str:
    """Return the end of a help page: example commands."""
    return "\n".join(["\b", f"Example{'s' * (len(lines) > 1)}:", *(f"  {line}" for line in lines)])


def verbose_option(function: Function) -> Function:
    """Add `-v`, which the error boundary reads too: known before any other option can fail."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_remember_verbose,
        help="Show details of every criterion, what was printed for it, and tracebacks of errors.",
    )(function)


def _remember_verbose(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    settings = context.ensure_object(Settings)
    settings.verbose = settings.verbose or value


def plugin_options(function: Function) -> Function:
    """Add `-p` and `--no-plugins`, as the parameters of `Plugins`."""
    named = click.option(
        "-p",
        "--plugin",
        "plugins",
        multiple=True,
        metavar="FILE",
        shell_complete=completing.files,
        help="Load a plugin: a Python file, or a module by its dotted name. Repeatable.",
    )
    installed = click.option(
        "--no-plugins",
        "entry_points",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Leave installed plugins out; those named in the spec or by -p still load.",
    )
    return named(installed(function))


def override_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--set`, and `--device`, `--executor` and `--seed` as sugar for it; together they are `overrides`."""

    @wraps(function)
    def merged(
        *args: Any, overrides: tuple[str, ...], device: str | None, executor: str | None, seed: int | None, **rest: Any
    ) -> None:
        sugar = {"run.device": device, "run.executor": executor, "run.seed": seed}
        given = [f"{path}={value}" for path, value in sugar.items() if value is not None]
        function(*args, overrides=(*overrides, *given), **rest)

    override = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="PATH=VALUE",
        shell_complete=completing.paths,
        help="Override a value of the spec, read as YAML: model.lora.r=16. Repeatable.",
    )
    device = click.option(
        "--device",
        metavar="NAME",
        shell_complete=completing.devices,
        help="auto, cpu, cuda, cuda:1 or mps; sets run.device.",
    )
    executor = click.option(
        "--executor",
        metavar="NAME",
        shell_complete=completing.executors,
        help="local, or an engine that a plugin brings, such as slurm; sets run.executor.",
    )
    seed = click.option("--seed", type=click.IntRange(min=0), help="Sets run.seed.")
    return override(device(executor(seed(merged))))


def seeds_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--seeds` as sugar for an override; outside of `planning_options`, whose `overrides` it adds to."""

    @wraps(function)
    def merged(*args: Any, overrides: tuple[str, ...], seeds: int | None, **rest: Any) -> None:
        given = () if seeds is None else (f"run.seed_count={seeds}",)
        function(*args, overrides=(*overrides, *given), **rest)

    return click.option(
        "--seeds",
        type=click.IntRange(min=1),
        metavar="K",
        help="Measure what depends on the seed under K seeds, from run.seed on; sets run.seed_count.",
    )(merged)


def cell_option(function: Function) -> Function:
    """Add `--cell`: which cells of a matrix take part."""
    return click.option(
        "--cell",
        "cells",
        multiple=True,
        metavar="PATTERN",
        shell_complete=completing.cells,
        help="Only cells of the matrix whose name, such as r=8, contains or matches this. Repeatable: any of them.",
    )(function)


def selection_options(function: Function) -> Function:
    """Add `-k`, `--tag` and `--skip`: which criteria take part."""
    select = click.option(
        "-k",
        "--select",
        multiple=True,
        metavar="PATTERN",
        shell_complete=completing.criteria,
        help="Only criteria whose id contains this, or matches it as a glob. Repeatable: any of them.",
    )
    tags = click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        shell_complete=completing.tags,
        help="Only criteria with this tag. Repeatable: any of them.",
    )
    skip = click.option(
        "--skip",
        multiple=True,
        metavar="PATTERN",
        shell_complete=completing.criteria,
        help="Leave out criteria, as -k would pick them. Repeatable.",
    )
    return select(tags(skip(function)))


def planning_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add everything that shapes a plan, as the parameters of `Planning`."""
    return selection_options(override_options(plugin_options(function)))
