"""The listing and the help pages, and that they cost nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import retspec.cli
from retspec import __version__
from retspec.cli import cli
from retspec.cli.commands import COMMANDS, HIDDEN


def test_every_file_with_a_command_is_listed() -> None:
    modules = [path.stem for path in Path(retspec.cli.__file__).parent.glob("[a-z]*.py") if path.stem != "probe"]
    commands = {name for name in modules if hasattr(import_module(f"retspec.cli.{name}"), "command")}
    assert commands == {name.replace("-", "_") for name in (*COMMANDS, *HIDDEN)}


@pytest.mark.parametrize(("name", "listed"), COMMANDS.items())
def test_a_help_page_begins_as_the_listing_says_and_has_an_example(retspec: Any, name: str, listed: str) -> None:
    finished = retspec(name, "--help")
    assert (finished.code, finished.err) == (0, "")
    assert listed in finished.out
    assert f"Usage: retspec {name}" in finished.out
    assert f"    retspec {name}" in finished.out or f"$(retspec {name}" in finished.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_its_purpose_are_told(name: str) -> None:
    command = import_module(f"retspec.cli.{name.replace('-', '_')}").command
    assert command.name == name
    assert all(option.help for option in command.params if option.param_type_name == "option")


def test_the_listing_shows_every_command_and_exit_code(retspec: Any) -> None:
    finished = retspec("-h")
    assert finished.code == 0
    assert all(f"  {name} " in finished.out and text in finished.out for name, text in COMMANDS.items())
    assert all(f"    {code}  " in finished.out for code in range(6))


def test_the_version_is_told(retspec: Any) -> None:
    assert retspec("--version").out == f"retspec {__version__}\n"


def test_the_listing_imports_no_command() -> None:
    code = "import sys; from retspec.cli import main; main(['-h']); print(*sys.modules, file=sys.stderr)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(finished.stderr.split())
    assert not loaded & {f"retspec.cli.{name.replace('-', '_')}" for name in (*COMMANDS, *HIDDEN)}
    assert not loaded & {"tabulate", "tqdm", "torch"}


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("retspec pl", {"plan", "plugins"}),
        ("retspec --ver", {"--version", "--verbose"}),
        ("retspec run --no", {"--no-plugins", "--no-reports"}),
        ("retspec checks loss_dr", {"loss_drop"}),
        ("retspec completion z", {"zsh"}),
    ],
)
def test_a_shell_gets_its_completions(program: Any, words: str, completed: set[str]) -> None:
    position = str(len(words.split()) - 1)
    finished = program(_RETSPEC_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=position)
    assert {line.removeprefix("plain,") for line in finished.stdout.split()} == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_says_how_to_use_it(retspec: Any, shell: str) -> None:
    finished = retspec("completion", shell)
    assert finished.code == 0
    assert f"_RETSPEC_COMPLETE={shell}_complete" in finished.out
    assert finished.out.splitlines()[-1].startswith("# To use it, ")


def test_zsh_finds_its_marker_in_the_first_line(retspec: Any) -> None:
    assert retspec("completion", "zsh").out.splitlines()[0] == "#compdef retspec"


def test_the_group_lists_what_it_resolves() -> None:
    context = cli.make_context("retspec", ["doctor"])
    assert [name for name in cli.list_commands(context) if cli.get_command(context, name)] == [*COMMANDS]
