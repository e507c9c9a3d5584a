"""One run for all processes of pytest-xdist: the first process that needs it makes it, the others wait and read it."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from retspec.report.formats.results import json
from retspec.report.live import write_whole
from retspec.results.results_file import read_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.records import Report

_FOLDER = pytest.StashKey[str]()
_WORKER_INPUT = "retspec_folder"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass each xdist worker the folder in which all workers share their runs."""
    config: pytest.Config = node.config
    if _FOLDER not in config.stash:
        folder = TemporaryDirectory(prefix="retspec-")
        config.add_cleanup(folder.cleanup)
        config.stash[_FOLDER] = folder.name
    node.workerinput[_WORKER_INPUT] = config.stash[_FOLDER]


def shared(config: pytest.Config, key: str, make: Callable[[], Report]) -> Report:
    """Return the report that `make` makes, or that another worker of xdist has made under the same key.

    Raises what `make` raises; the next worker that needs the report tries again.
    """
    folder: str | None = getattr(config, "workerinput", {}).get(_WORKER_INPUT)
    if folder is None:
        return make()
    file = Path(folder) / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            write_whole(file, json(make()))
        return read_report(file)
