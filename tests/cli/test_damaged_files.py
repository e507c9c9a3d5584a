"""Files that a command reads and somebody else wrote: damaged, endless, huge, or none. One line each, at once."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import SPEC
from tests.review.recorded import green_results_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BAD = "bad.json"
COMMANDS = {
    "judge": ("judge", BAD, "--spec", "spec.yaml"),
    "verify": ("verify", BAD, "--spec", "spec.yaml"),
    "compare": ("compare", BAD, "good.json"),
    "compare with": ("compare", "good.json", BAD),
    "bless": ("bless", BAD, "--to", "baseline.json", "--reason", "why not", "--who", "ada"),
    "calibrate": ("calibrate", "spec.yaml", "--results", BAD, "--dry-run"),
    "merge": ("merge", BAD),
    "merge with": ("merge", "good.json", BAD),
    "report": ("report", BAD),
    "report of two": ("report", "good.json", BAD),
    "a baseline": ("validate", "against.yaml"),
}
"""Every command that reads results or a baseline."""
MOST_MEMORY = 3 << 30
"""Bytes of address space, over those that the tests already have, with which every command must do."""


def edited(**changes: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(json.dumps(json.loads(Path("good.json").read_text()) | changes))

    return write


def written(content: str | bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        text = Path("good.json").read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return write


def sparse(size: int, beginning: bytes = b"") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(beginning)
            file.truncate(size)

    return write


def deep(levels: int) -> Callable[[Path], None]:
    return replaced('"details": {}', f'"details": {{"a": {"[" * levels}{"]" * levels}}}')


ANYWHERE: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "a directory": (Path.mkdir, "Is a directory"),
    "a pipe that nobody fills": (os.mkfifo, "it is not a regular file"),
    "/dev/zero": (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "nothing": (lambda _: None, "there is no such file"),
    "2 GB of zeros": (sparse(2 << 30), "it is larger than 256 MiB; is this a results.json?"),
    "2 GB behind the first line of an HTML page": (sparse(2 << 30, b"<!doctype html>"), "it is larger than 256 MiB"),
    "200 MB of zeros": (sparse(200 << 20), "this is not JSON"),
    "an empty file": (written(""), "this is not JSON"),
    "a cut file": (written('{"retspec": 1, "results": ['), "this is not JSON"),
    "a byte order mark": (written(b"\xef\xbb\xbf{}"), "this is not JSON"),
    "UTF-16": (written("{}".encode("utf-16")), "this is not JSON"),
    "brackets": (written("[" * 1_000_000), "this is not JSON"),
    "objects in objects": (written('{"a":' * 1_000_000), "this is not JSON"),
    "a page without results": (written("<!doctype html><p>Sign in</p>"), "this HTML file holds no results"),
    "a page without a doctype": (written("<html><p>Sign in</p>"), "this HTML file holds no results"),
    "a page behind a byte order mark": (written(b"\xef\xbb\xbf<!doctype html>"), "this HTML file holds no results"),
    "a page behind a comment": (written("<!-- saved --><!doctype html>"), "this HTML file holds no results"),
    "a page that ends in its results": (written('<!DOCTYPE HTML><a id="retspec-results">{"retspec": 1'), "not JSON"),
    "an integer of 100,000 digits": (written(f'{{"retspec": {"9" * 100_000}}}'), "this is not"),
}
RESULTS: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "another version": (edited(retspec=2), "version 2 of the format"),
    "a version of 400 digits": (edited(retspec=10**400), ""),
    "results that are text": (edited(results="none"), "it is damaged: Expected `array`, got `str`"),
    "a start that is no date": (edited(started="yesterday"), "it is damaged: `started` is 'yesterday'"),
    "a start that is a terminal escape": (edited(started="\x1b]0;owned\x07" * 100), "it is damaged: `started` is"),
    "a start in another year than there is": (edited(started="2026-02-30T00:00:00"), "it is damaged: `started` is"),
    "NaN": (replaced('"seconds": ', '"seconds": NaN, "was": '), "this is not JSON"),
    "a key twice": (replaced('"name": ', '"name": "a", "name": '), "twice"),
    "a verdict twice": (replaced('"verdict": ', '"verdict": "met", "verdict": '), "the key 'verdict' is twice"),
    "details 100 deep": (deep(100), "it is damaged: it is nested deeper than anything that is recorded"),
    "details 900 deep": (deep(900), "nested deeper"),
    "a lone surrogate": (replaced('"name": "', '"name": "\\ud800'), "this is not JSON"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a spec, results of it, and a spec that is held against a baseline."""
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC)
    Path("good.json").write_text(green_results_of("spec.yaml"))
    against = f"max_trainable_params: {{limit: 100_000, vs: {BAD}, max_regression: 1%}}"
    Path("against.yaml").write_text(SPEC.replace("max_trainable_params: 100_000", against))
    return tmp_path


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let an allocation fail that no such command needs."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("kind", ANYWHERE)
def test_what_is_no_file_of_ours_is_refused_by_every_command(kind: str, retspec: Any) -> None:
    make, says = ANYWHERE[kind]
    make(Path(BAD))
    for name, command in COMMANDS.items():
        _hold(retspec(*command), says, name)


@pytest.mark.parametrize("kind", RESULTS)
def test_damaged_results_are_refused_by_every_command(kind: str, retspec: Any) -> None:
    make, says = RESULTS[kind]
    make(Path(BAD))
    for name, command in COMMANDS.items():
        _hold(retspec(*command), "" if name == "a baseline" else says, name)


def _hold(finished: Any, says: str, name: str) -> None:
    """One line, with the file, and the exit code of what cannot be used."""
    assert finished.code == 2, (name, finished)
    (line,) = finished.err.splitlines()
    assert BAD in line, (name, line)
    assert says in line, (name, line)
    assert len(line) < 500, name
    assert line.isprintable(), name


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Path.mkdir, "is a directory"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (sparse(2 << 30), "the file is larger than 1 MiB"),
    ],
)
def test_what_is_no_spec_is_refused_by_every_command_that_reads_one(
    make: Callable[[Path], object], says: str, retspec: Any
) -> None:
    bad = Path("bad.yaml")
    make(bad)
    others = [("diff", "spec.yaml", bad), ("diff", bad, "spec.yaml"), ("judge", "good.json", "--spec", bad)]
    for command in (*others, *((name, bad) for name in ("validate", "plan", "run", "show"))):
        finished = retspec(*command)
        assert (finished.code, says in finished.err) == (2, True), (command, finished.err)
    for key in ("extends", "config"):
        Path("asks.yaml").write_text(f"{SPEC}{key}: bad.yaml\n")
        finished = retspec("validate", "asks.yaml")
        assert (finished.code, says in finished.err) == (2, True), (key, finished.err)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_a_checkpoint_without_an_end_is_not_hashed(make: Callable[[Path], object], retspec: Any) -> None:
    make(Path("w.pth"))
    finished = retspec("verify", "good.json", "--spec", "spec.yaml", "--checkpoint", "w.pth")
    assert finished.code == 2
    assert finished.err.startswith("Error: 'w.pth' cannot be read: ")
