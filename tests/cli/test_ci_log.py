"""No line of a log that retspec writes is a command of the CI server, but for its own annotations."""

from __future__ import annotations

import re
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from retspec.cli import main
from retspec.cli.ci_log import CILog, safe_logs

COMMANDS = [
    "::stop-commands::x",
    "  ::set-output name=a::b",
    "before ##[error]c",
    "##[group]::d",
    "##vso[task.setvariable variable=a]b",
    "a ##teamcity[testFailed name=a]",
]
COMMAND = re.compile(r"(?m)^\s*::|##(?:vso|teamcity)?\[")
PLUGIN = '''
from retspec.plugin import Check, Observed, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def says() -> int:
    """Does it say commands?"""
    return Observed(2, {f"::{n}": text for n, text in enumerate(COMMANDS)} | {"lines": "\\n".join(COMMANDS)})

@hookimpl
def retspec_checks() -> list[Check]:
    return [says]
'''


def written(*pieces: str) -> str:
    """Return what a log holds after these pieces were written."""
    stream = TextIOWrapper(BytesIO(), encoding="utf-8")
    log = CILog(stream)
    for piece in pieces:
        assert log.write(piece) == len(piece)
    log.detach()
    return printed(stream)


def printed(stream: TextIOWrapper) -> str:
    """Return what is in a stream."""
    assert isinstance(stream.buffer, BytesIO)
    return stream.buffer.getvalue().decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_broken_in_however_many_pieces_it_comes(command: str) -> None:
    assert COMMAND.search(f"{command}\n")
    for cut in range(len(command)):
        shown = written("a line\n", command[:cut], command[cut:], "\n::x\n")
        assert not COMMAND.search(shown), (cut, shown)
        assert shown.replace("\\", "") == f"a line\n{command}\n::x\n"


def test_what_is_no_command_is_written_as_it_is() -> None:
    text = "std::vector a:: b\n# heading\n## heading [1]\n: a\na: :b\n"
    assert written(text) == text
    assert written(*text) == text


def test_the_streams_are_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    before = TextIOWrapper(BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", before)
    with safe_logs():
        assert isinstance(sys.stdout, CILog)
    assert sys.stdout is before
    before.write("still open")
    before.flush()


def test_a_run_writes_no_command_but_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    Path("plugin.py").write_text(f"COMMANDS = {COMMANDS!r}\n{PLUGIN}")
    Path("spec.yaml").write_text('retspec: 1\nname: "::warning::n"\nchecks:\n  says: 1\n')
    streams = {name: TextIOWrapper(BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    assert main(["run", "spec.yaml", "-p", "plugin.py", "-v", "--no-reports"]) == 1
    shown = {name: printed(stream) for name, stream in streams.items()}
    assert not COMMAND.search(shown["stderr"])
    own = [line for line in shown["stdout"].splitlines() if COMMAND.search(line)]
    assert len(own) == 1
    assert own[0].startswith("::error file=spec.yaml,")
    assert "stop-commands" in shown["stdout"]
