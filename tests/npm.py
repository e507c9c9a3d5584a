"""Programs and libraries from npm that tests use, installed once into a folder that git ignores."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / ".npm"


def installed(package: str, version: str) -> Path:
    """Return the program of a package; skips the test where npm is not there or cannot install it."""
    return _made(package, version, Path(".bin") / package)


def library(package: str, version: str, file: str) -> Path:
    """Return a file of a package; skips the test as `installed` does."""
    return _made(package, version, Path(package) / file)


def _made(package: str, version: str, wanted: Path) -> Path:
    folder = FOLDER / f"{package}-{version}"
    path = folder / "node_modules" / wanted
    npm = shutil.which("npm")
    if not path.exists() and npm is None:
        pytest.skip(f"npm is not here to install {package}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run the tests
        if not path.exists():
            command = [str(npm), "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
            finished = subprocess.run(
                [*command, f"{package}@{version}"], capture_output=True, text=True, check=False, timeout=300
            )
            if finished.returncode:
                pytest.skip(f"npm cannot install {package}: {finished.stderr[-200:]}")
    return path
