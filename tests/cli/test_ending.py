"""The end of the program: what was registered for it is done, and nothing is taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = """
import atexit, builtins
from retspec.plugin import hookimpl

@hookimpl
def retspec_run_finished():
    pass

class Large:
    def __del__(self):
        print("taken apart")

builtins.large = Large()  # as a library holds on to something for good
atexit.register(print, "registered")
"""


@pytest.mark.parametrize(("override", "code"), [("run.seed=1", 0), ("run.sede=1", 2)])
def test_the_program_ends_with_its_code_and_at_once(
    override: str, code: int, program: Any, spec: Path, tmp_path: Path
) -> None:
    (tmp_path / "large.py").write_text(PLUGIN)
    finished = program("validate", spec, "-p", tmp_path / "large.py", "--set", override)
    assert finished.returncode == code
    assert finished.stdout.splitlines()[-1] == "registered"
    assert "taken apart" not in finished.stdout
