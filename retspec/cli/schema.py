"""`retspec schema`: for editors, and for whoever reads results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack

import click
import msgspec

from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.errors import ReportError
from retspec.plugins.catalog import gather
from retspec.spec.validate import compose_schema, results_schema


@click.command(
    "schema",
    epilog=examples("retspec schema --output schemas/spec.schema.json", "retspec schema --results"),
)
@click.option("--results", is_flag=True, help="The schema of results.json instead of that of specs.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it there, not to stdout.")
@plugin_options
@verbose_option
def command(output: Path | None, *, results: bool, **plugins: Unpack[Plugins]) -> None:
    """Print the JSON Schema of specs, or of results.

    The schema of specs is made from the checks and sources that are installed, so that an editor completes
    and explains them. Name it in the first line of a spec: # yaml-language-server: $schema=spec.schema.json
    """
    schema = results_schema() if results else compose_schema(gather(**plugins), published=True)
    text = _text(schema)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)


def _text(schema: dict[str, Any]) -> str:
    """Return a schema as JSON, each definition on a line of its own: small, and a change shows where it is."""
    below = "definitions" if "definitions" in schema else "$defs"
    rest = msgspec.json.format(json.dumps({**schema, below: {}}, sort_keys=True))
    lines = [f"    {json.dumps(name)}: {_compact(part)}" for name, part in schema[below].items()]
    listed = ",\n".join(sorted(lines))
    return rest.replace(f'"{below}": {{}}', f'"{below}": {{\n{listed}\n  }}') + "\n"


def _compact(part: Any) -> str:
    return json.dumps(part, sort_keys=True, separators=(",", ":"))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
