"""The command line: the only place that prints or exits.

One command per file, imported by name when it is called: the listing, completion and errors do without the
machinery of a run. `main` is the only place where an exception becomes an exit code.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import add_completion_class, shell_complete

from retspec._version import __version__
from retspec.characters import visible
from retspec.cli.bash_words import BashWords
from retspec.cli.ci_log import safe_logs
from retspec.cli.colour import wants_colour
from retspec.cli.commands import CommandGroup
from retspec.cli.options import Settings, examples, verbose_option
from retspec.cli.screen import say
from retspec.errors import RetspecError, SpecError, UsageError, named
from retspec.records import EXIT_INTERNAL, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "retspec"
COMPLETE = "_RETSPEC_COMPLETE"
"""Environment variable with which a shell requests a completion."""

CLOSED_PIPE = 128 + signal.SIGPIPE
"""Exit code of a program whose reader closed the pipe: neither a success nor a missed limit."""

EXIT_CODES = """\b
Exit codes:
  0  every criterion is met
  1  a limit is missed
  2  usage error, or the spec is invalid
  3  nothing is missed, but some criterion has no verdict
  4  internal error, or a report could not be written
  5  nothing was selected
"""


@click.group(
    PROGRAM,
    cls=CommandGroup,
    epilog=f"{examples('retspec init', 'retspec run specs/lora_preflight.yaml')}\n\n{EXIT_CODES}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@verbose_option
@click.pass_context
def cli(context: click.Context) -> None:
    """Run declarative acceptance checks on a PyTorch fine-tuning setup.

    The criteria are in a YAML spec beside the model's config: parameter budgets, shapes, learning,
    merging. Commands other than run, watch, prove, fit and doctor never start torch.
    """
    context.color = wants_colour(sys.stdout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no error escapes as a traceback.

    arguments: what follows the program's name; None takes them from `sys.argv`.
    """
    settings = Settings()
    _never_fail_to_encode()
    with safe_logs():
        try:
            code = _dispatch(sys.argv[1:] if arguments is None else arguments, settings)
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - the boundary: an unknown exception is an internal error
            return _exit_code_of(error, settings)
        return code


def _dispatch(arguments: Sequence[str], settings: Settings) -> int:
    """Do what `click.Command.main` does, without its handling of exit codes and closed pipes."""
    if instruction := os.environ.get(COMPLETE):
        add_completion_class(BashWords)
        return shell_complete(cli, {}, PROGRAM, COMPLETE, instruction)
    _require_working_directory()
    settings.arguments = tuple(arguments)
    with cli.make_context(PROGRAM, list(arguments), obj=settings) as context:
        cli.invoke(context)
    return 0


def _require_working_directory() -> None:
    """Refuse a deleted working directory: each relative path would fail later, in its own way."""
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError("the working directory is gone; change to one that exists") from error


def _exit_code_of(error: BaseException, settings: Settings) -> int:
    """Print what went wrong and return the exit code, even if stderr is closed."""
    try:
        return _tell(error, settings)
    except BrokenPipeError:
        _silence_closed_streams()
        return CLOSED_PIPE


def _tell(error: BaseException, settings: Settings) -> int:
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            error.show()
            return EXIT_USAGE
        case BrokenPipeError() if _silence_closed_streams():
            return CLOSED_PIPE
    message, code = _words(error, settings)
    if settings.verbose:
        click.echo(visible(traceback.format_exc()), err=True, nl=False)
    say(visible(message), err=True)
    return code


def _words(error: BaseException, settings: Settings) -> tuple[str, int]:
    """Return the message for an error, one line where possible, and its exit code."""
    match error:
        case KeyboardInterrupt():
            return "interrupted", 128 + signal.SIGINT
        case SpecError():
            return str(error), error.exit_code
        case RetspecError():
            return f"Error: {error}", error.exit_code
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO):
            return f"Error: cannot write the output: {error.strerror}", EXIT_INTERNAL
    hint = "" if settings.verbose else "; run it again with -v to see the traceback"
    return f"Internal error: {named(error)}{hint}", EXIT_INTERNAL


def _silence_closed_streams() -> bool:
    """Return whether a reader closed its pipe; if so, keep the interpreter's last flush away from that pipe."""
    closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed(stream.fileno())]
    for stream in closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return bool(closed)


def _is_closed(descriptor: int) -> bool:
    """Return whether a pipe has no reader left: poll reports that even when asked for no event."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))


def _never_fail_to_encode() -> None:
    """Escape names that the terminal's encoding lacks, so that they do not break the report."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
