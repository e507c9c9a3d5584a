"""A project in a folder, and a shell in it as a CI job gives it: the real retspec, and a pip that only notes calls."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# It reads files alone, so that a job is a fraction of a second.
SPEC = """\
retspec: 1
name: aptos
config: ../train.yaml
checks:
  config_paths: 0
  output_dir_writable: true
"""
CONFIG = "train_csv: train.csv\noutput_dir: runs/aptos\n"


@dataclass(frozen=True)
class Project:
    """The checkout that a job works in."""

    folder: Path
    programs: Path
    variables: dict[str, str]

    def program(self, path: Path, line: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def note(self, path: Path) -> None:
        """Put a program in place that notes its arguments, one call on a line of `calls`."""
        self.program(path, f'printf "%s " {path.name} "$@" >> {self.folder}/calls; echo >> {self.folder}/calls')

    @property
    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def shell(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script as GitHub runs one of `shell: bash`."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env={**os.environ, **self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A checkout with a spec that is met, and `retspec` on the path."""
    folder, programs = tmp_path / "checkout", tmp_path / "programs"
    (folder / "specs").mkdir(parents=True)
    (folder / "specs" / "aptos.yaml").write_text(SPEC)
    (folder / "train.yaml").write_text(CONFIG)
    (folder / "train.csv").touch()
    search = os.pathsep.join([str(programs), os.environ["PATH"]])
    made = Project(folder, programs, {"PATH": search, "PYTHONPATH": str(ROOT)})
    retspec = f'exec {shlex.quote(sys.executable)} -m retspec "$@"'
    made.program(programs / "retspec", retspec)
    made.program(folder / ".venv" / "bin" / "retspec", retspec)
    for path in (programs / "python", programs / "python3", programs / "pip", folder / ".venv" / "bin" / "pip"):
        made.note(path)
    return made
