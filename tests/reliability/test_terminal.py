"""No text of a stranger's exception steers a terminal, or turns a line around, wherever it is raised and shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from tests.plugins.conftest import install_into

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

HOSTILE = (
    r"\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ "  # OSC 8: a link
    r"\x1b]52;c;cm0gLXJmIH4=\x07 "  # OSC 52: the clipboard
    r"\x1b[2J\x1b[31mred \x9b31m \x1b bare \x07 "  # CSI, in 7 and 8 bits
    r"\u202eevil\u202c \u2066live\u2069 \u200f\u200e\u061c\nsecond line"
)
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SEEN = "Steering: click red "
"""What is left of the exception."""

PLUGIN = """
from retspec.plugin import Check, Cost, check, data_source, hookimpl, measurement, model_source, reporter

Steering = type("Steer\\x1b[2Jing", (Exception,), {{}})
WORDS = "{hostile}"

def fail(place):
    if place == {place!r}:
        raise Steering(WORDS)

fail("load")

@model_source
def hollow(value: int):
    fail("model source")
    from torch import nn
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 2))

@data_source
def noise(value: int, request):
    fail("data source")
    import torch
    return torch.zeros(2, 3, 2, 2), torch.tensor([0, 1])

@measurement(cost=Cost.FORWARD, needs_torch={needs_torch})
def seen({parts}):
    fail("measurement")
    return 1

@check(direction="at most", advice="Nothing to do.")
def says(seen) -> int:
    '''What does it say?'''
    fail("check")
    return 1

@reporter
def morse(report):
    fail("reporter")
    return "-"

def hook(name):
    fail(name)

@hookimpl
def retspec_checks(): return [says]
@hookimpl
def retspec_measurements(): return [seen]
@hookimpl
def retspec_model_sources(): return [hollow]
@hookimpl
def retspec_data_sources(): return [noise]
@hookimpl
def retspec_reporters():
    fail("hook")
    return [morse]
@hookimpl
def retspec_criterion_finished(result): fail("observer")
@hookimpl(wrapper=True)
def retspec_run_finished(report):
    answers = yield
    fail("wrapper")
    return answers
"""
SPEC = "retspec: 1\nmodel: {hollow: 1}\ndata: {noise: 1}\nchecks:\n  says: 1\n"
WITHOUT_TORCH = "retspec: 1\nchecks:\n  says: 1\n"
FORMATS = ("junit", "junit-strict", "markdown", "github", "table")


def plugin(place: str, parts: str = "") -> str:
    return PLUGIN.format(place=place, hostile=HOSTILE, parts=parts, needs_torch=bool(parts))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, as under GitHub Actions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step-summary"))
    return tmp_path


def streams(folder: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """Run a command and return its exit code, what it printed, and every report that it wrote."""
    capfd.readouterr()
    code = main(arguments)
    out, err = capfd.readouterr()
    files = {path.name: path.read_text() for path in folder.iterdir() if path.suffix not in {".py", ".yaml", ""}}
    summary = folder / "step-summary"
    return code, {
        "stdout": out,
        "stderr": err,
        **files,
        **({"summary": summary.read_text()} if summary.exists() else {}),
    }


def hold(shown: dict[str, str], *told: str) -> None:
    """Hold that every stream is clean, and that these tell the exception."""
    for name, text in shown.items():
        assert not FORBIDDEN.search(text), (name, text)
        assert "evil.example" not in text, name
        assert "52;c" not in text, name
    assert [name for name in told if SEEN not in shown[name]] == []


REPORTS = [argument for name in FORMATS for argument in ("--report", f"{name}={name}.txt")]


@pytest.mark.parametrize("place", ["check", "measurement", "observer", "wrapper"])
def test_an_exception_of_a_run_without_torch(place: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "plugin.py").write_text(plugin(place))
    (folder / "spec.yaml").write_text(WITHOUT_TORCH)
    code, shown = streams(folder, capfd, "run", "spec.yaml", "-p", "plugin.py", "-v", "--no-reports", *REPORTS)
    assert code == 3
    hold(shown, "stdout", "summary", *(f"{name}.txt" for name in FORMATS))


@pytest.mark.parametrize("place", ["model source", "data source"])
def test_an_exception_of_a_source(place: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "plugin.py").write_text(plugin(place, "model, batch"))
    (folder / "spec.yaml").write_text(SPEC)
    code, shown = streams(folder, capfd, "run", "spec.yaml", "-p", "plugin.py", "-v", "--no-reports", *REPORTS)
    assert code == 3
    hold(shown, "stdout", "summary", *(f"{name}.txt" for name in FORMATS))


def test_an_exception_of_a_reporter(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "plugin.py").write_text(plugin("reporter"))
    (folder / "spec.yaml").write_text(WITHOUT_TORCH)
    report = ["--no-reports", "--report", "morse=morse.txt"]
    code, shown = streams(folder, capfd, "-v", "run", "spec.yaml", "-p", "plugin.py", *report)
    assert code == 4
    hold(shown, "stderr")


@pytest.mark.parametrize("place", ["load", "hook"])
@pytest.mark.parametrize("command", ["run", "validate", "plan", "plugins", "checks"])
def test_an_exception_of_a_named_plugin_at_load(
    command: str, place: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "plugin.py").write_text(plugin(place))
    (folder / "spec.yaml").write_text(WITHOUT_TORCH)
    specs = ["spec.yaml"] if command in {"run", "validate", "plan"} else []
    code, shown = streams(folder, capfd, "-v", command, *specs, "-p", "plugin.py")
    assert code == 2
    hold(shown, "stderr")


@pytest.mark.parametrize(
    ("arguments", "code", "stream"),
    [(("plugins",), 0, "stdout"), (("validate", "spec.yaml"), 2, "stderr"), (("run", "spec.yaml"), 2, "stderr")],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_exception_of_an_installed_plugin_at_load(
    arguments: tuple[str, ...],
    code: int,
    stream: str,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = folder / "site"
    site.mkdir()
    install_into(site, "steering", plugin("load"))
    monkeypatch.syspath_prepend(site)
    (folder / "spec.yaml").write_text(WITHOUT_TORCH)
    found, shown = streams(folder, capfd, *arguments)
    assert found == code
    hold(shown, stream)


def test_a_plugin_s_own_plugin_error_is_cleaned_too(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "plugin.py").write_text(
        f'from retspec.errors import PluginError\nwords = "{HOSTILE}"\nraise PluginError(words)\n'
    )
    code, shown = streams(folder, capfd, "plugins", "-p", "plugin.py")
    assert code == 2
    hold(shown)
    assert "does not load: click red " in shown["stderr"]
