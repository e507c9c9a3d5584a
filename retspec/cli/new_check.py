"""`retspec new-check`: the files of a check of one's own."""

from __future__ import annotations

import keyword
import sys
from pathlib import Path
from typing import Unpack

import click

from retspec.characters import quoted
from retspec.cli.drafting.new_check import files_of
from retspec.cli.drafting.writing import write_draft
from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.cli.screen import say
from retspec.errors import UsageError
from retspec.plugins.catalog import gather


@click.command("new-check", epilog=examples("retspec new-check blurred_images", "retspec new-check my_check -d checks"))
@click.argument("name")
@click.option(
    "-d",
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Where to write; the current directory by default.",
)
@plugin_options
@verbose_option
def command(name: str, folder: Path, **plugins: Unpack[Plugins]) -> None:
    """Write a check of your own: a plugin, a spec and a test.

    All three work as they are written: NAME.py has a check called NAME, NAME.retspec.yaml is a spec that uses it,
    and test_NAME.py tests it under pytest. A file that is there is left alone.
    """
    _require_usable(name, plugins)
    made = {folder / file: text for file, text in files_of(name).items()}
    taken = [str(path) for path in made if path.exists()]
    if taken:
        raise UsageError(f"{', '.join(taken)} exists already; nothing is written")
    for path, text in made.items():
        write_draft(path, text, force=False)
    plugin, spec, test = made
    say(f"wrote {plugin}, {spec} and {test}; next:")
    click.echo(f"  retspec run {spec}")
    click.echo(f"  pytest {test}")


def _require_usable(name: str, plugins: Plugins) -> None:
    """Raise UsageError for a name that no check may have, or that is in use."""
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{quoted(name)} is no name for a check; write letters, digits and _, such as blurred_images")
    if name in sys.stdlib_module_names:
        raise UsageError(f"{name!r} is a module of Python, which {name}.py would hide; choose another name")
    if name in gather(**plugins).checks:
        raise UsageError(f"there is a check {name!r} already; `retspec checks {name}` shows it")
