"""`.ci/run` is what the README says, in an environment that decides nothing, and no failure in it is overlooked."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.house.refresh import README, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ".ci/run"
BEGIN = "# Each in a subshell"
"""The comment above the two commands."""
SEARCHED = "/usr/local/bin:/usr/bin:/bin"


def _commands_of_ci() -> list[str]:
    """Return the lines behind the preamble that do something."""
    preamble, _, rest = (ROOT / SCRIPT).read_text(encoding="utf-8").partition(BEGIN)
    assert preamble
    return [line for line in rest.splitlines()[1:] if line not in {"", "(", ")"}]


def _shell_lines_of_the_readme() -> list[str]:
    page = (ROOT / README).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_ci_runs_exactly_the_two_commands_of_the_readme() -> None:
    commands = _commands_of_ci()
    assert len(commands) == 2
    assert _shell_lines_of_the_readme() == commands


# With stand-ins for what the commands call -----------------------------------------------------------


class Checkout:
    """A folder with the script, and a `python3` that writes down its environment and makes a venv of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / SCRIPT, folder / SCRIPT)
        self.program("bin/python3", f"env > {folder}/environment; mkdir -p .venv/bin; cp {folder}/made/* .venv/bin")
        self.program("made/activate", f"PATH={folder}/.venv/bin:$PATH")
        self.program("bin/apt-get", f'echo "$@" >> {folder}/installed')
        for name in ("pip", "retspec", "ruff", "mypy", "lint-imports", "zensical", "pytest"):
            self.program(f"made/{name}", f"echo {name} >> {folder}/called")

    def program(self, path: str, body: str) -> None:
        """Write a program."""
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)

    def run(self, searched: str = SEARCHED, **variables: str) -> int:
        """Run the script, with variables beside those that every environment has; return its exit code."""
        given = {"PATH": f"{self.folder}/bin:{searched}", "HOME": str(self.folder), "LANG": "C.UTF-8"}
        command = ["bash", SCRIPT]
        return subprocess.run(
            command, cwd=self.folder, env=given | variables, capture_output=True, check=False
        ).returncode

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file."""
        return (self.folder / name).read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_everything_is_called_once_in_its_order(checkout: Checkout) -> None:
    assert checkout.run() == 0
    expected = ["pip", "retspec", "pip", "ruff", "ruff", "mypy", "lint-imports", "zensical", "pytest"]
    assert checkout.lines("called") == expected


@pytest.mark.parametrize("name", ["pip", "retspec", "ruff", "mypy", "lint-imports", "zensical", "pytest"])
def test_a_failure_anywhere_is_the_last_thing_that_happens(name: str, checkout: Checkout) -> None:
    checkout.program(f"made/{name}", f"echo {name} >> {checkout.folder}/called; exit 3")
    assert checkout.run() == 3
    assert checkout.lines("called").count(name) == 1
    assert checkout.lines("called")[-1] == name


def test_the_environment_is_clean_but_for_what_a_network_needs(checkout: Checkout) -> None:
    network = {"PIP_CERT": "ca.pem", "SSL_CERT_FILE": "ca.pem", "REQUESTS_CA_BUNDLE": "ca.pem", "HTTPS_PROXY": "proxy"}
    dropped = {"PYTHONPATH": "elsewhere", "PYTHONWARNINGS": "error", "VIRTUAL_ENV": "other", "OMP_NUM_THREADS": "1"}
    assert checkout.run(**network, **dropped, PIP_ODD="two\nlines") == 0
    names = {line.partition("=")[0] for line in checkout.lines("environment") if "=" in line}
    set_by_the_shell = {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names - set_by_the_shell == {"PATH", "HOME", "LANG", "PIP_ODD", *network}


# The browser -----------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A folder with the programs that the script calls, and no browser."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("bash", "sh", "env", "dirname", "timeout", "mkdir", "cp"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def test_a_browser_is_installed_where_there_is_none(checkout: Checkout, bare: str) -> None:
    assert checkout.run(bare) == 0
    assert checkout.lines("installed") == ["update", "install -y chromium"]
    assert checkout.lines("called")[-1] == "pytest"


def test_without_a_way_to_install_one_the_tests_run_all_the_same(checkout: Checkout, bare: str) -> None:
    checkout.program("bin/apt-get", f'echo "$@" >> {checkout.folder}/installed; exit 100')
    assert checkout.run(bare) == 0
    assert checkout.lines("installed") == ["update"]
    assert checkout.lines("called")[-1] == "pytest"


def test_a_browser_that_is_there_is_left_alone(checkout: Checkout, bare: str) -> None:
    checkout.program("bin/chromium", "exit 0")
    assert checkout.run(bare) == 0
    assert not (checkout.folder / "installed").exists()
