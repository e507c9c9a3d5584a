"""The path of the page is a link where the terminal knows links, and plain text everywhere else."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest

from retspec.cli.hyperlink import linked, wants_links
from retspec.cli.reporting import show
from tests.report.formats.sample import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLES = (
    *("NO_COLOR", "FORCE_HYPERLINK", "CI", "KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM"),
    *("TERM_PROGRAM", "VTE_VERSION", "GITHUB_ACTIONS"),
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as stream:
        yield stream
    os.close(master)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"KITTY_WINDOW_ID": "1"}, True),
        ({"TERM": "alacritty"}, True),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "7200"}, True),
        ({"VTE_VERSION": "5000"}, False),
        ({"WT_SESSION": "x", "CI": "true"}, False),
        ({"WT_SESSION": "x", "TERM": "dumb"}, False),
        ({"WT_SESSION": "x", "NO_COLOR": "1"}, False),
        ({"WT_SESSION": "x", "FORCE_HYPERLINK": "0"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"FORCE_HYPERLINK": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_links_are_for_terminals_that_know_them(
    terminal: TextIO, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_links(terminal) is expected


def test_a_file_gets_none_unless_it_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    assert linked(Path("reports/a/report.html"), StringIO()) == "reports/a/report.html"
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    assert "\x1b]8;;" in linked(Path("reports/a/report.html"), StringIO())


def test_a_hostile_path_neither_ends_the_link_nor_writes_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    path = Path("/a\x1b\\\x07\x1b]52;c;cm0=\x07\u202eb c/report.html")
    shown = linked(path, StringIO())
    before, address, text, after = shown.removesuffix("\x1b\\").replace("\x1b]8;;", "\x1b\\").split("\x1b\\")[0:4]
    assert (before, after) == ("", "")
    assert address.startswith("file://")
    assert address.endswith("/a%1B%5C%07%1B%5D52%3Bc%3Bcm0%3D%07%E2%80%AEb%20c/report.html")
    assert text.isprintable()


def test_only_the_path_of_the_page_is_a_link(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {"json": Path("results.json"), "html": Path("report.html")}
    show(sample(), paths, verbose=False)
    assert capsys.readouterr().out.endswith("\njson: results.json\nhtml: report.html\n")
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    show(sample(), paths, verbose=False)
    shown = capsys.readouterr().out
    assert "\njson: results.json\nhtml: \x1b]8;;file://" in shown
    assert shown.endswith("/report.html\x1b\\report.html\x1b]8;;\x1b\\\n")


def test_no_other_path_writes_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show(sample(), {"json": Path("\x1b[2Jresults.json")}, verbose=False)
    assert "\x1b" not in capsys.readouterr().out
