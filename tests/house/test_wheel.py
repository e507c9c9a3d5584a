"""The wheel holds everything that a run reads: nothing of the checkout is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Program = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

SPEC = """\
retspec: 1
name: small
model:
  timm: vit_tiny_patch16_224
  kwargs: {num_classes: 3, img_size: 32, depth: 1}
  lora: {r: 4, target_modules: [qkv], modules_to_save: [head]}
train: {steps: 10, lr: 1e-2}
run: {device: cpu}
checks:
  lora_layers: 1
  output_shape: [4, 3]
  merge_atol: 1e-5
  loss_drop: 0.2
"""

# Python imports this at its start, in the worker too. A virtual environment may lie inside the checkout.
GUARD = f"""\
import os, sys
def guard(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if path.startswith({str(ROOT) + os.sep!r}) and not path.startswith(sys.prefix + os.sep):
            os.write(2, f"this file of the checkout was opened: {{path}}".encode())
            os._exit(99)
sys.addaudithook(guard)
"""


def _run(*command: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module with next to nothing in the environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "OMP_NUM_THREADS") if name in os.environ}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def _pip(folder: Path, *arguments: str | Path) -> None:
    finished = _run("-m", "pip", "--disable-pip-version-check", *arguments, folder=folder)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a release would be."""
    folder = tmp_path_factory.mktemp("dist")
    finished = _run("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (built,) = folder.glob("retspec-*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    _pip(folder, "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel)
    (folder / "sitecustomize.py").write_text(GUARD)
    return folder


@pytest.fixture
def python(site: Path, tmp_path: Path) -> Program:
    """Run Python in an empty folder, with the installed wheel on its path."""
    return partial(_run, folder=tmp_path, PYTHONPATH=str(site))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


def test_the_guard_ends_a_program_that_opens_a_file_of_the_checkout(python: Program) -> None:
    finished = python("-c", f"open({str(ROOT / 'pyproject.toml')!r})")
    assert finished.returncode == 99
    assert finished.stderr.endswith("pyproject.toml")


def test_the_installed_package_is_the_one_that_runs(python: Program, site: Path) -> None:
    finished = python("-c", "import retspec; print(retspec.__file__)")
    assert finished.stdout.strip() == str(site / "retspec" / "__init__.py"), finished.stderr


def test_a_spec_is_validated(python: Program, spec: Path) -> None:
    finished = python("-m", "retspec", "validate", spec)
    assert (finished.returncode, finished.stdout) == (0, f"{spec}: ok (4 criteria)\n"), finished.stderr


def test_a_spec_is_run(python: Program, spec: Path) -> None:
    finished = python("-m", "retspec", "run", spec)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (spec.parent / "reports" / "small" / "junit.xml").is_file()
    assert (spec.parent / "reports" / "small" / "results.json").is_file()


def test_the_starter_is_written_and_valid(python: Program, tmp_path: Path) -> None:
    assert python("-m", "retspec", "init", "mine.yaml").returncode == 0
    assert (tmp_path / "mine.yaml").read_text() == (ROOT / "retspec" / "cli" / "starter.yaml").read_text()
    assert python("-m", "retspec", "validate", "mine.yaml").returncode == 0


def test_the_wheel_holds_the_licence_and_no_test(site: Path) -> None:
    (info,) = site.glob("retspec-*.dist-info")
    assert (info / "licenses" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    found = {path.name for path in site.iterdir()} - {info.name, "sitecustomize.py", "__pycache__"}
    assert found == {"retspec", "bin"}
    assert (site / "retspec" / "py.typed").is_file()


def test_the_installed_script_has_help(python: Program, site: Path) -> None:
    finished = python(site / "bin" / "retspec", "--help")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("Usage: retspec ")
