"""`retspec show`: print a spec with every reference resolved."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import click

from retspec.cli.options import SpecFile, cell_option, examples, override_options, verbose_option
from retspec.cli.origins import origins, with_origins
from retspec.errors import SpecError
from retspec.plan import select_cells
from retspec.plugins.catalog import gather
from retspec.spec.load import load_cells, plugins_of
from retspec.spec.validate import flattened
from retspec.text.fitting import screen_width

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    "show",
    epilog=examples("retspec show specs/lora_preflight.yaml", "retspec show specs/lora_preflight.yaml --json"),
)
@click.argument("spec", type=SpecFile())
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of cells, with the place of every value.")
@cell_option
@override_options
@verbose_option
def command(spec: Path, overrides: tuple[str, ...], cells: tuple[str, ...], *, as_json: bool) -> None:
    """Print a spec with everything it extends and refers to.

    Prints YAML that means the same, with the file and line that each section and criterion comes from; of a
    matrix, a document for each cell. Secrets are masked. The spec is not checked against the installed checks: validate
    does that.
    """
    documents = select_cells(load_cells(spec, overrides), cells)
    gathered = cache(gather)
    documents = [flattened(each, gathered(plugins_of(each))) if each.layers else each for each in documents]
    if problems := {problem for document in documents for problem in document.problems}:
        raise SpecError(problems)
    if as_json:
        click.echo(json.dumps([*map(origins, documents)], indent=2))
    else:
        width = screen_width()
        click.echo("---\n".join(with_origins(document, width) for document in documents), nl=False)
