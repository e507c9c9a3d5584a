"""Ways to run the command line: in this process, and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from tests.cli.watched_script import TRAIN

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]

SPEC = """\
retspec: 1
name: tiny
model:
  timm: vit_tiny_patch16_224
  kwargs: {num_classes: 5}
  lora: {target_modules: [qkv], modules_to_save: [head]}
checks:
  max_trainable_params: 100_000
  lora_layers: 12
"""


@dataclass(frozen=True)
class Finished:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def retspec(capfd: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    def call(*arguments: str | Path) -> Finished:
        capfd.readouterr()
        code = main([*map(str, arguments)])
        out, err = capfd.readouterr()
        return Finished(code, out, err)

    return call


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m retspec` as a user would, with other variables in the environment where a test says so."""

    def call(
        *arguments: str | Path, cwd: Path | None = None, path: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        search = os.pathsep.join(str(folder) for folder in (path, ROOT) if folder)
        return subprocess.run(
            [sys.executable, "-m", "retspec", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": search, **variables},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a training script with some lines replaced, into the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def write(*changes: tuple[str, str], name: str = "train.py") -> Path:
        text = TRAIN
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def data() -> Path:
    """A split with two classes of images, in the working directory."""
    for name in ("train/a/1.png", "train/a/2.png", "train/b/3.png"):
        path = Path("data", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("image")
    return Path("data").absolute()
