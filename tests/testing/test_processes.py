"""The plugin in processes of its own: as it is installed, under pytest-xdist, interrupted."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from tests.testing.conftest import ALONE, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.testing.conftest import WriteSpec

HEAVY = """
import sys

def pytest_sessionfinish():
    print("loaded:", *{"torch", "timm", "peft", "numpy", "PIL"}.intersection(sys.modules), "nothing more")
"""


def test_pytest_finds_the_installed_plugin_and_loads_nothing_heavy(
    spec: WriteSpec, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = pytester.mkdir("retspec-0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: retspec\nVersion: 0\n")
    ((name, module),) = project["entry-points"]["pytest11"].items()
    (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pytester.path), os.environ["PYTHONPATH"]]))
    pytester.makeconftest(HEAVY)
    spec("one: {check: counted, limit: 1}")
    result = pytester.runpytest_subprocess("-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*loaded: nothing more"])


def test_workers_of_xdist_share_one_run(spec: WriteSpec, calls: Callable[[], int], pytester: pytest.Pytester) -> None:
    spec("\n".join(f"{name}: {{check: counted, limit: {int(name != 'b')}}}" for name in "abcdefgh"))
    result = pytester.runpytest_subprocess(*ALONE, "-p", "xdist", "-n2", "--dist=load", "-v")
    result.assert_outcomes(passed=7, failed=1)
    assert calls() == 8
    assert {line.split()[0] for line in result.outlines if line.startswith("[gw")} == {"[gw0]", "[gw1]"}


def test_an_interrupted_run_ends_the_session(spec: WriteSpec, pytester: pytest.Pytester) -> None:
    spec("one: {check: interrupts, limit: 1}\ntwo: {check: counted, limit: 1}")
    result = pytester.runpytest_subprocess(*ALONE)
    assert result.ret == 130
    result.assert_outcomes()
    result.stdout.fnmatch_lines(["*interrupted by SIGINT*"])
