"""`retspec validate`: everything that is wrong with specs, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.options import (
    Plugins,
    SpecFile,
    examples,
    override_options,
    plugin_options,
    verbose_option,
)
from retspec.errors import RetspecError, SpecError
from retspec.records import EXIT_USAGE
from retspec.run import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@click.command("validate", epilog=examples("retspec validate specs/*.yaml"))
@click.argument("specs", nargs=-1, required=True, type=SpecFile(), metavar="SPEC...")
@override_options
@plugin_options
@verbose_option
@click.pass_context
def command(
    context: click.Context, specs: Sequence[Path], overrides: tuple[str, ...], **plugins: Unpack[Plugins]
) -> None:
    """Tell whether specs are valid, with all their problems.

    A problem is a line on stderr, as FILE:LINE:COLUMN: what is wrong; what is allowed. Exits 0 if every spec
    is valid, 2 otherwise. Nothing is measured and torch is not loaded, so that it can run on every commit.
    """
    verdicts = [_is_valid(spec, overrides, plugins) for spec in specs]
    if not all(verdicts):
        context.exit(EXIT_USAGE)


def _is_valid(spec: Path, overrides: Sequence[str], plugins: Plugins) -> bool:
    """Print what there is to say about one spec, and return whether it is valid."""
    try:
        plan, _ = prepare(spec, overrides=overrides, **plugins)
    except SpecError as error:
        click.echo(str(error), err=True)
    except RetspecError as error:
        click.echo(f"{spec}: {error}", err=True)
    else:
        count = len(plan.spec.criteria)
        click.echo(f"{spec}: ok ({count} {'criterion' if count == 1 else 'criteria'})")
        return True
    return False
