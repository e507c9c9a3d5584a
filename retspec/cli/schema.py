"""`retspec schema`: print a JSON Schema for editors, or for programs that read results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack

import click

from retspec.cli.options import Plugins, examples, plugin_options, verbose_option
from retspec.cli.replacing import require_replaceable
from retspec.errors import ReportError
from retspec.plugins.catalog import gather
from retspec.report.live import require_apart
from retspec.spec.validate import compose_schema, results_schema

_LAID_OUT = frozenset(
    {("definitions",), ("$defs",), ("then",), ("then", "properties"), ("else",), ("else", "properties")}
)
"""Places in a schema whose keys each get their own line."""


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
    if output is not None:
        require_apart([output], [plugins["plugins"]])
        require_replaceable(output, "schema", without="results")
    schema = results_schema() if results else compose_schema(gather(**plugins), published=True)
    text = f"{_text(schema)}\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)


def _text(schema: dict[str, Any], path: tuple[str, ...] = ()) -> str:
    """Return a schema as JSON, a line per definition and per section: compact, and easy to diff."""
    indent = "  " * len(path)
    lines = []
    for key, part in sorted(schema.items()):
        inner = (*path, key)
        text = _text(part, inner) if inner in _LAID_OUT else json.dumps(part, sort_keys=True, separators=(",", ":"))
        lines.append(f"{indent}  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
