"""A real Chromium, driven by its DevTools protocol over a pipe: no server, no port, no library.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retspec.processes import cpu_seconds, descendants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WHY_NOT = "there is no Chromium on this machine; install the package chromium"
_PATIENCE = 60.0
"""Seconds without a word in which it must compute something: one that hangs does not, one on a busy machine is slow."""
_LEAST = 0.5
"""Seconds of CPU time that are something."""
_TURNS = 10
"""How often patience may run out for one answer, whatever is computed."""
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--force-color-profile=srgb",
    "about:blank",
)


class Page:
    """One tab: what it requested, what it complained of, and what is on it."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol."""
        return self._browser.call(method, session=self._session, **parameters)

    def resize(self, width: int, height: int = 900) -> None:
        """Make the window so many pixels large."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, media: str = "", **features: str) -> None:
        """Set what media queries find: `print`, or features such as `prefers-color-scheme`."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=media, features=named)

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file and wait until it is loaded."""
        self.visit(path.absolute().as_uri() + fragment)

    def visit(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._browser.events.clear()
        self.call("Page.navigate", url=url)
        self._browser.wait_for("Page.loadEventFired")
        self.evaluate("document.readyState")  # what it has said until then has arrived
        self.events = [*self._browser.events]

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    @property
    def requests(self) -> list[str]:
        """The addresses that the page requested, besides its own."""
        asked = [each["params"] for each in self.events if each["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in asked if each["type"] != "Document"]

    @property
    def complaints(self) -> list[str]:
        """What is on the console."""
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [json.dumps(each["params"]) for each in self.events if each["method"] in kinds]

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        return base64.b64decode(taken)

    def printed(self) -> bytes:
        """Return the page as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])


class Browser:
    """A running Chromium."""

    def __init__(self, writing: int, reading: int, process: int) -> None:
        self._writing, self._reading, self._process = writing, reading, process
        self._rest = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
        raise AssertionError

    def wait_for(self, event: str) -> None:
        """Return once an event has come."""
        if not any(each["method"] == event for each in self.events):
            next(message for message in self._messages() if message.get("method") == event)

    def _messages(self) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + _TURNS * _PATIENCE
        while True:
            while b"\0" not in self._rest:
                assert time.monotonic() < deadline, f"Chromium did not answer for {_TURNS * _PATIENCE:.0f} s"
                if not self._has_said_something():
                    continue
                piece = os.read(self._reading, 1 << 20)
                assert piece, "Chromium has ended"
                self._rest += piece
            text, _, self._rest = self._rest.partition(b"\0")
            message = json.loads(text)
            if "method" in message:
                self.events.append(message)
            yield message

    def _has_said_something(self) -> bool:
        """Wait for a word from it, as long as it computes."""
        before = self.computed()
        if select.select([self._reading], [], [], _PATIENCE)[0]:
            return True
        took = self.computed() - before
        assert took >= _LEAST, f"Chromium said nothing for {_PATIENCE:.0f} s, and computed for {took:.1f} s of them"
        return False

    def computed(self) -> float:
        """Return the seconds of CPU time that its processes have taken, where they can be seen."""
        below = [process.pid for process in descendants(self._process)]
        return sum(map(cpu_seconds, [self._process, *below]))


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start Chromium with a fresh profile in a folder, and end it."""
    assert PROGRAM
    low = (*os.pipe(), *os.pipe())
    commands, writing, reading, answers = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    silent = os.open(os.devnull, os.O_RDWR)
    places = {0: silent, 1: silent, 2: silent, 3: commands, 4: answers}
    process = os.posix_spawn(
        PROGRAM,
        [PROGRAM, f"--user-data-dir={folder}", *_OPTIONS],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, end, place) for place, end in places.items()],
    )
    for end in (*low, silent, commands, answers):
        os.close(end)
    try:
        yield Browser(writing, reading, process)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(writing)
        os.close(reading)
