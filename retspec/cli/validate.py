"""`retspec validate`: report everything that is wrong with specs, before anything runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Unpack

import click

from retspec.characters import visible
from retspec.cli.lookup import absent
from retspec.cli.options import (
    Plugins,
    SpecFile,
    cell_option,
    examples,
    override_options,
    plugin_options,
    verbose_option,
)
from retspec.cli.screen import say
from retspec.errors import RetspecError, SpecError
from retspec.plugins.catalog import gather
from retspec.prepare import prepare_cells
from retspec.records import EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan


class _Options(Plugins):
    """The arguments of `prepare_cells` besides the spec."""

    overrides: tuple[str, ...]
    cells: tuple[str, ...]


@click.command("validate", epilog=examples("retspec validate specs/*.yaml"))
@click.argument("specs", nargs=-1, required=True, type=SpecFile(), metavar="SPEC...")
@cell_option
@override_options
@plugin_options
@verbose_option
@click.pass_context
def command(context: click.Context, specs: Sequence[Path], **options: Unpack[_Options]) -> None:
    """Validate specs and report every problem.

    Each problem is a line on stderr: FILE:LINE:COLUMN: what is wrong; what is allowed. Exits 0 if every spec
    is valid, 2 otherwise. Names of timm and torchvision, modules and their functions are looked up where torch is
    installed, without importing them. Nothing is measured and torch is not loaded, so that it can run on every commit.
    """
    gathering = cache(gather)
    verdicts = [_is_valid(spec, gathering, options) for spec in specs]
    if not all(verdicts):
        context.exit(EXIT_USAGE)


def _is_valid(spec: Path, gathering: Callable[..., Catalog], options: _Options) -> bool:
    """Print the result for one spec, and return whether it is valid."""
    try:
        plans, _ = prepare_cells(spec, gathering=gathering, **options)
        _require_there(plans)
    except SpecError as error:
        say(visible(str(error)), err=True)
    except RetspecError as error:
        say(visible(f"{spec}: {error}"), err=True)
    else:
        for doubt in dict.fromkeys(doubt for plan in plans for doubt in plan.spec.doubts):
            say(visible(f"{doubt.mark}: warning: {doubt.message}"), err=True)
        say("\n  ".join([f"{spec}: ok ({_counted(plans)})", *_cells(plans)]))
        return True
    return False


def _require_there(plans: Sequence[Plan]) -> None:
    """Raise SpecError for what the specs name and is not there."""
    if problems := [problem for plan in plans for problem in absent(plan.spec)]:
        raise SpecError(problems)


def _counted(plans: Sequence[Plan]) -> str:
    count = sum(len(plan.spec.criteria) for plan in plans)
    criteria = f"{count} {'criterion' if count == 1 else 'criteria'}"
    cells = len(_cells(plans))
    return f"{criteria} in {cells} {'cell' if cells == 1 else 'cells'}" if cells else criteria


def _cells(plans: Sequence[Plan]) -> list[str]:
    return [plan.spec.cell for plan in plans if plan.spec.cell]
