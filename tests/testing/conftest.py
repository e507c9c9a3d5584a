"""Sessions of pytest inside a test, with the plugin and nothing else that is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.testing import counting

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
ALONE = ("-p", "retspec.testing", "-p", "no:cacheprovider")


class WriteSpec(Protocol):
    def __call__(self, checks: str, name: str = "gate.retspec.yaml", head: str = "") -> Path: ...


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])))


@pytest.fixture
def spec(pytester: pytest.Pytester) -> WriteSpec:
    """Write a spec over the checks of `counting.py`; `checks` are lines of YAML that are not indented."""

    def write(checks: str, name: str = "gate.retspec.yaml", head: str = "") -> Path:
        indented = "".join(f"  {line}\n" for line in checks.strip().splitlines())
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"retspec: 1\nplugins: [{counting.__file__}]\n{head}checks:\n{indented}")
        return path

    return write


@pytest.fixture
def session(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run pytest in this process."""
    return lambda *arguments: pytester.runpytest_inprocess(*ALONE, *arguments)


@pytest.fixture
def calls(pytester: pytest.Pytester) -> Callable[[], int]:
    """How many times `counted` was called."""
    notes = pytester.path / counting.NOTES
    return lambda: len(notes.read_text().splitlines()) if notes.exists() else 0
