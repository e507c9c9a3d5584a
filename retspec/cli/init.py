"""`retspec init`: a spec to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from retspec.cli.options import examples, verbose_option
from retspec.errors import UsageError

SCHEMA = "retspec.schema.json"
"""The file that the starter's first line names; `retspec schema` writes it."""


@click.command("init", epilog=examples("retspec init", "retspec init specs/preflight.yaml"))
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default="preflight.yaml")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@verbose_option
def command(path: Path, *, force: bool) -> None:
    """Write a commented starter spec.

    It is valid as it stands and runs in about a minute on a CPU, without downloads: a small vision
    transformer with LoRA. Put your model in its place. PATH is preflight.yaml by default; a file that is
    there is left alone.
    """
    _write(path, (files("retspec.cli") / "starter.yaml").read_text(encoding="utf-8"), "w" if force else "x")
    click.echo(f"wrote {path}; next:")
    click.echo(f"  retspec schema --output {path.with_name(SCHEMA)}   # completion and checking in your editor")
    click.echo(f"  retspec run {path}")


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists; --force overwrites it") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
