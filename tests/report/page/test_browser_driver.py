"""The driver of the browser: one that is slow is waited for, one that hangs is not, and nothing is asked twice."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.report.page import browser as driver
from tests.report.page.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b'{"id": 1, "result": {"value": 7}}\0'


@pytest.fixture
def pipes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Browser, int, int]]:
    """Yield a driver of no browser, where its commands arrive, and where its answers come from."""
    monkeypatch.setattr(driver, "_PATIENCE", 0.01)
    (commands, writing), (reading, answers) = os.pipe(), os.pipe()
    yield Browser(writing, reading, os.getpid()), commands, answers
    for end in (commands, writing, reading, answers):
        os.close(end)


def test_a_browser_that_computes_is_waited_for(
    pipes: tuple[Browser, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, commands, answers = pipes
    looks: list[float] = []

    def computed() -> float:
        looks.append(1.0)
        if len(looks) == 5:
            os.write(answers, ANSWER)
        return float(len(looks))

    monkeypatch.setattr(browser, "computed", computed)
    assert browser.call("Some.method") == {"value": 7}
    assert len(looks) == 5
    assert os.read(commands, 1000).count(b"Some.method") == 1


def test_a_browser_that_hangs_is_not(pipes: tuple[Browser, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    browser, _, _ = pipes
    monkeypatch.setattr(browser, "computed", lambda: 3.0)
    with pytest.raises(AssertionError, match="said nothing for"):
        browser.call("Some.method")


def test_a_browser_that_computes_for_ever_is_not_either(
    pipes: tuple[Browser, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _, _ = pipes
    looks: list[float] = []
    monkeypatch.setattr(browser, "computed", lambda: looks.append(1.0) or float(len(looks)))
    with pytest.raises(AssertionError, match="did not answer"):
        browser.call("Some.method")


@pytest.mark.skipif(sys.platform != "linux", reason="processes are seen in /proc")
def test_the_time_of_a_process_and_those_below_it_is_seen(pipes: tuple[Browser, int, int]) -> None:
    assert pipes[0].computed() > 0
