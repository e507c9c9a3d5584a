"""`retspec completion`: completion of commands, options and names of checks."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from retspec.cli.options import examples, verbose_option

HOW_TO = {
    "bash": 'add to ~/.bashrc: eval "$(retspec completion bash)"',
    "zsh": 'add to ~/.zshrc, after compinit: eval "$(retspec completion zsh)"',
    "fish": "run once: retspec completion fish > ~/.config/fish/completions/retspec.fish",
}


@click.command("completion", epilog=examples('eval "$(retspec completion bash)"'))
@click.argument("shell", type=click.Choice([*HOW_TO]))
@verbose_option
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Its last line says where to put it. A completion asks retspec itself, so that it knows the checks of your
    plugins.
    """
    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"this click knows no completion for {shell}")
    program = context.find_root()
    name = str(program.info_name)
    click.echo(script(program.command, {}, name, f"_{name.upper()}_COMPLETE").source())
    click.echo(f"# To use it, {HOW_TO[shell]}")
