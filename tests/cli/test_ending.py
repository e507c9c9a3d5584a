"""The end of the program: what was registered for it is done, and nothing is taken apart."""

from __future__ import annotations

import subprocess
import sys
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


WATCHED_IMPORTS = """
import signal, sys
from retspec.__main__ import main

class Watching:
    def find_spec(self, name, path, target=None):
        if name in ("retspec.cli", "retspec.engine.protocol", "retspec.report.live"):
            print(name, signal.getsignal(signal.SIGINT) is signal.SIG_DFL)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Watching())
sys.argv = ["retspec", "run", "--help"]
main()
print("afterwards", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_ctrl_c_raises_nothing_while_modules_load() -> None:
    """An exception in the middle of msgspec, which reads the types of records then, would be a segmentation fault."""
    done = subprocess.run([sys.executable, "-c", WATCHED_IMPORTS], capture_output=True, text=True, check=False)
    shown = [line for line in done.stdout.splitlines() if line.startswith(("retspec.", "afterwards"))]
    assert shown == [
        "retspec.cli True",
        "retspec.report.live True",
        "retspec.engine.protocol True",
        "afterwards True",
    ]
