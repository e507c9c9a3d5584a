"""Plugins as people make them: a file, a folder of installed packages, and the example package, installed for real."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.plugins.samples import Install, Write

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE, RAY, RETFOUND, SLURM = (
    ROOT / "plugins" / f"retspec-{name}" for name in ("features", "ray", "retfound", "slurm")
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


def install_into(folder: Path, name: str, text: str, version: str = "1.2") -> None:
    """Write what installing a package of one module leaves behind: the module and its metadata."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[retspec]\n{name} = {name}_module\n")
    (folder / f"{name}_module.py").write_text(text)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)

    def install_package(name: str, text: str) -> Path:
        install_into(folder, name, text)
        importlib.invalidate_caches()
        return folder

    yield install_package
    for module in set(sys.modules) - before:
        if module.endswith("_module"):
            del sys.modules[module]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the packages of this repository."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--target", str(folder), str(EXAMPLE), str(RETFOUND)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m retspec` in the test's folder, with a folder of installed packages on the path."""

    def call(*arguments: str | Path, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "retspec", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return call
