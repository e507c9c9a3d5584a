"""What all tests share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

# A busy machine may take its time over an example.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write golden files anew instead of comparing")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Spread folders of tests over the cores; files that somebody named run here: at once, and under a debugger."""
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    return None if any(path.is_dir() for path in named) else 0
