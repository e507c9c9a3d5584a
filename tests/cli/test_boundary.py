"""Whatever goes wrong leaves as words and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli.commands import COMMANDS
from tests.environment import NAMES_IN_UTF8
from tests.signals import hear_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "plugin.py"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vlidate", "x.yaml"], "there is no command 'vlidate'; did you mean 'validate'?"),
        (["frobnicate"], f"there is no command 'frobnicate'; there are {', '.join(COMMANDS)}"),
        (["checks", "los_drop"], "there is no check 'los_drop'; did you mean 'loss_drop'?"),
        (["checks", "zzz"], "there is no check 'zzz'; `retspec checks` lists them"),
        (["plugins", "-p", "nowhere.py"], "plugin 'nowhere.py' does not load: there is no file nowhere.py"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["schema", "--frob"], "No such option"),
        ([], "Usage: retspec"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_words(retspec: Any, arguments: list[str], words: str) -> None:
    finished = retspec(*arguments)
    assert finished.code == 2
    assert words in finished.err
    assert finished.out == ""
    assert "Traceback" not in finished.err


def test_a_misspelt_spec_gets_its_near_miss(retspec: Any, spec: Path) -> None:
    finished = retspec("validate", spec.with_name("tinny.yaml"))
    assert finished.code == 2
    assert f"did you mean {str(spec)!r}?" in finished.err


def test_verbose_shows_the_traceback_above_the_line(retspec: Any) -> None:
    finished = retspec("checks", "zzz", "-v")
    assert finished.code == 2
    assert finished.err.startswith("Traceback")
    assert finished.err.splitlines()[-1].startswith("Error: there is no check 'zzz'")


def test_a_plugin_that_exits_does_not_make_the_run_green(retspec: Any, plugin: Any) -> None:
    finished = retspec("plugins", "-p", plugin("raise SystemExit(0)"))
    assert finished.code == 2
    assert finished.err.endswith("does not load: SystemExit: 0 (plugin.py:1)\n")


ODD = "class Odd(BaseException): ...\nraise Odd('gone')"


def test_an_internal_error_is_named_on_one_line(retspec: Any, plugin: Any) -> None:
    finished = retspec("plugins", "-p", plugin(ODD))
    assert finished.code == 4
    assert finished.err == "Internal error: Odd: gone; run it again with -v to see the traceback\n"


def test_an_internal_error_shows_its_traceback_when_asked(retspec: Any, plugin: Any) -> None:
    finished = retspec("-v", "plugins", "-p", plugin(ODD))
    assert finished.code == 4
    assert "Traceback" in finished.err
    assert finished.err.splitlines()[-1] == "Internal error: Odd: gone"


def test_interrupting_exits_with_130(plugin: Any, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    path = plugin(f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(600)")
    command = [sys.executable, "-m", "retspec", "plugins", "-p", path]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,  # noqa: PLW1509 - no thread here holds a lock
    ) as process:
        deadline = time.monotonic() + 120
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == "interrupted\n"


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("arguments", [["checks"], ["--help"], ["schema"], ["completion", "bash"]])
def test_a_reader_that_goes_away_is_no_error(arguments: list[str], unread: int) -> None:
    command = [sys.executable, "-m", "retspec", *arguments]
    finished = subprocess.run(command, stdout=unread, stderr=subprocess.PIPE, check=False)
    assert (finished.returncode, finished.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("arguments", [["checks"], ["checks", "zzz"], ["frobnicate"]])
def test_nor_is_one_of_both_streams(arguments: list[str], unread: int) -> None:
    command = [sys.executable, "-m", "retspec", *arguments]
    assert subprocess.run(command, stdout=unread, stderr=unread, check=False).returncode == 128 + signal.SIGPIPE


@NAMES_IN_UTF8
def test_a_terminal_that_cannot_encode_a_name_sees_it_escaped(program: Any, spec: Path) -> None:
    path = spec.rename(spec.with_name("網膜.yaml"))
    finished = program("validate", path, PYTHONIOENCODING="latin-1")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert r"\u7db2\u819c.yaml: ok" in finished.stdout
