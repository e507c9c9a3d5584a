"""`retspec init`: a spec to start from."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from retspec.cli.drafting.disk import Disk
from retspec.cli.drafting.recognition import settings_in
from retspec.cli.drafting.spec import can_be_drafted, draft
from retspec.cli.drafting.writing import SCHEMA, write_draft
from retspec.cli.options import examples, verbose_option
from retspec.cli.screen import say
from retspec.errors import Mark, UsageError
from retspec.report.live import require_apart
from retspec.spec.load import read_config
from retspec.text.fitting import screen_width


@click.command(
    "init",
    epilog=examples(
        "retspec init",
        "retspec init specs/preflight.yaml",
        "retspec init --config configs/train.yaml specs/preflight.yaml",
    ),
)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default="preflight.yaml")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draft the spec from your training config (YAML, JSON, TOML, Python), by the usual names of its keys.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@verbose_option
def command(path: Path, *, config: Path | None, force: bool) -> None:
    """Write a commented starter spec.

    The spec is valid as written and runs in about a minute on a CPU, without downloads: a small vision
    transformer with LoRA. Put your model in its place. PATH is preflight.yaml by default; an existing file
    is left alone. With --config the model is yours: the spec refers to the values of the config.
    """
    require_apart([path], [config])
    text = _starter() if config is None else _drafted(config, path)
    write_draft(path, text, force=force)
    say(f"wrote {path}; next:")
    _tell(f"  retspec schema --output {path.with_name(SCHEMA)}", "completion and checking in your editor")
    click.echo(f"  retspec run {path}")


def _tell(command_line: str, why: str) -> None:
    """Print a command that can be copied: what it is for follows it, or precedes it where the screen is narrower."""
    width, line = screen_width(), f"{command_line}   # {why}"
    if width is None or len(line) <= width:
        click.echo(line)
    else:
        say(f"  # {why}", indent="# ")
        click.echo(command_line)


def _starter() -> str:
    return (files("retspec.cli") / "starter.yaml").read_text(encoding="utf-8")


def _drafted(file: Path, spec: Path) -> str:
    """Return a spec drafted from a config; the spec names the config relative to its own folder."""
    config = read_config(str(file), Mark(str(file), 1, 1))
    found = settings_in(config.data, config.unresolved)
    if not can_be_drafted(found, config):
        raise UsageError(
            f"{file}: no key is called like a model (model.name, arch, backbone), images or a path; write the spec by "
            "hand, with `config:` and ${config.KEY}"
        )
    named = os.path.relpath(file.absolute(), spec.absolute().parent)
    return draft(found, config, Disk(spec, file), named, SCHEMA)
