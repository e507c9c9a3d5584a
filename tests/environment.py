"""The same surroundings for every test, on any machine and in any shell: a plugin of pytest, loaded by pyproject.toml.

Two variables are the tests' own. `RETSPEC_TEST_THREADS=4` gives torch four threads, and `ATEN_CPU_CAPABILITY=default`
(or `avx2`), which torch reads, computes as a plainer processor does: together they show what hangs on rounding.
"""

from __future__ import annotations

import locale
import os
import resource
import site
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = frozenset(
    {
        *("PATH", "TMPDIR", "PYENV_ROOT"),  # where programs and temporary files are
        *("RETSPEC_TEST_THREADS", "RETSPEC_FUZZ", "RETFOUND_FULL_SIZE"),  # what tests ask for
        *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA"),  # which processor torch and its oneDNN see
        *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
)
KEPT_PREFIXES = (
    *("LD_", "DYLD_"),  # where libraries are
    *("PYTEST_", "COV_", "COVERAGE_", "HYPOTHESIS_"),  # what belongs to the programs that run the tests
    *("NODE_", "NPM_CONFIG_", "npm_config_"),  # how npm, by which one test installs a program, gets through
)
PYTESTS_OWN = frozenset(
    {
        *("TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CI"),  # how it shows what it does
        *("HOME", "LOGNAME", "USER"),  # whose temporary files it makes
    }
)
"""What pytest itself reads, before the first test."""
SET = {
    # On models this tiny a second thread only waits, and left alone it waits spinning, on a core that another worker of
    # the tests could use.
    "OMP_NUM_THREADS": os.environ.get("RETSPEC_TEST_THREADS", "1"),
    "OMP_WAIT_POLICY": "PASSIVE",
    # What `device: auto` finds is the same everywhere.
    "CUDA_VISIBLE_DEVICES": "",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
}
GIT_CONFIG = "[safe]\n\tdirectory = *\n"
"""The checkout may belong to another user than the one who tests it."""
NAMES_IN_UTF8 = pytest.mark.skipif(
    sys.getfilesystemencoding() != "utf-8", reason="this process was started with another encoding; set LANG=C.UTF-8"
)
"""Marks what needs names of files, and variables, in UTF-8: nothing changes that after Python's start."""


def _clean() -> None:
    """Forget the shell's variables: before torch is imported, and for each program that a test starts."""
    for name in os.environ.keys() - KEPT - PYTESTS_OWN:
        if not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(SET)
    # Files are opened here as in the programs that tests start: in UTF-8, and with their bytecode beside them.
    with suppress(locale.Error):  # an old macOS has no such locale
        locale.setlocale(locale.LC_ALL, SET["LANG"])
    sys.dont_write_bytecode = False


_clean()


@pytest.fixture
def unmeasured_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the test's programs without coverage, which doubles what a short one costs.

    It is for what other tests measure, in this process or in a program. Coverage names its settings for programs in
    such a variable: https://coverage.readthedocs.io/en/latest/subprocess.html.
    """
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No terminal, an empty home, the usual permissions of new files, and no dump of a process that crashes."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        # What `pip install --user` put into the other home, and how npm gets through.
        patch.setenv("PYTHONUSERBASE", site.getuserbase())
        patch.setenv("NPM_CONFIG_USERCONFIG", str(Path("~/.npmrc").expanduser()))
        for name in PYTESTS_OWN - {"CI"}:
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("LOGNAME", "somebody")  # a container may give its user a number and no name
        mask = os.umask(0o022)
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
        yield
        os.umask(mask)
