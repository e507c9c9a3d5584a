"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before torch is imported, and for each process that a test starts. On models this tiny a second thread only waits,
# and it waits spinning, on a core that another worker of the tests could use.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def _no_ci_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under GitHub Actions the program says more; the tests of that set these themselves."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write golden files anew instead of comparing")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Spread folders of tests over the cores; files that somebody named run here: at once, and under a debugger."""
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    return None if any(path.is_dir() for path in named) else 0
