"""The garbage collector costs a command little, and a program that imports retspec keeps its own settings of it."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import TYPE_CHECKING

from retspec.engine.worker import preloading

if TYPE_CHECKING:
    import pytest


def test_a_command_is_hardly_collected_and_what_imports_retspec_keeps_its_settings() -> None:
    code = (
        "import gc, sys; before = gc.get_threshold(); import retspec.running; print(gc.get_threshold() == before);"
        "from retspec.__main__ import MADE, main; sys.argv = ['retspec', 'checks'];"
        "done = gc.get_stats()[2]['collections']; main(); print(MADE > 10_000, gc.get_threshold()[0] == MADE,"
        "gc.get_stats()[2]['collections'] - done)"
    )
    lines = _printed(code)
    assert (lines[0], lines[-1]) == ("True", "True True 0")


def test_frozen_objects_are_counted_once_for_all_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(preloading, "make_repeatable", lambda _threads: None)
    monkeypatch.setattr(gc, "get_freeze_count", lambda: called.append("counted") or 0)
    monkeypatch.setattr(gc, "freeze", lambda: called.append("frozen"))
    preloading.freeze_once.cache_clear()
    try:
        for _job in range(3):
            preloading.settle(())
    finally:
        preloading.freeze_once.cache_clear()
    assert called == ["counted", "frozen"]


def test_a_worker_imports_no_library_for_schemas() -> None:
    code = (
        "import sys, retspec.engine.worker.__main__; from retspec.plugins.catalog import gather;"
        "print(len(gather(entry_points=False).measurements) > 20, {'jsonschema', 'referencing'} & sys.modules.keys())"
    )
    assert _printed(code) == ["True set()"]


def _printed(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
