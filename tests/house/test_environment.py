"""No test depends on the shell that it is started from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.house.refresh import ROOT

if TYPE_CHECKING:
    import pytest

SHELL = {
    "COLUMNS": "40",
    "FORCE_COLOR": "1",
    "GIT_DIR": "/nowhere",
    "GITHUB_ACTIONS": "true",
    "NO_COLOR": "1",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "RETSPEC_PLUGINS": "none",
    "XDG_CONFIG_HOME": "/nowhere",
}
CHANGED = {"LC_ALL": "C", "OMP_NUM_THREADS": "7", "TZ": "Asia/Kathmandu", "USER": "ada"}
TEST = f"""
import os, subprocess, sys, tempfile

PROGRAM = "import os, sys; print(*os.environ, sep='\\\\n'); open('é', 'w').write('é')"

def test_a_program_sees_nothing_of_the_shell(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not set(done.stdout.splitlines()) & {set(SHELL)!r}
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("é", "é".encode())]
    assert (tmp_path / "é").read_text() == "é"
    assert (tmp_path / "é").stat().st_mode & 0o777 == 0o644
    assert (os.environ["TZ"], os.environ["OMP_NUM_THREADS"]) == ("UTC", "1")
    assert os.listdir(os.path.expanduser("~")) == [".gitconfig"]
"""


def test_no_variable_of_the_shell_reaches_a_test_or_what_it_starts(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (SHELL | CHANGED).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RETSPEC_TEST_THREADS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(TEST)
    pytester.runpytest_subprocess("-p", "tests.environment", "-p", "no:cacheprovider").assert_outcomes(passed=1)
