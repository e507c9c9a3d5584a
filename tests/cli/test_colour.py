"""Colour on terminals, and the variables that overrule them."""

from __future__ import annotations

import os
from io import StringIO
from typing import TYPE_CHECKING, TextIO

import pytest

from retspec.cli.colour import paint, wants_colour
from retspec.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as stream:
        yield stream
    os.close(master)


def test_a_terminal_has_colour_and_a_file_has_none(terminal: TextIO) -> None:
    assert wants_colour(terminal)
    assert not wants_colour(StringIO())


def test_a_dumb_terminal_has_none(terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(terminal)


def test_no_color_beats_everything(terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not wants_colour(terminal)


def test_an_empty_no_color_says_nothing(terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert wants_colour(terminal)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("3", True), ("0", False), ("", False)])
def test_force_color_beats_the_stream(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:  # noqa: FBT001
    monkeypatch.setenv("FORCE_COLOR", value)
    assert wants_colour(StringIO()) is expected


def test_what_is_not_green_is_never_painted_green() -> None:
    green = paint("x", Verdict.MET)
    assert all(paint("x", verdict) != green for verdict in Verdict if verdict is not Verdict.MET)
