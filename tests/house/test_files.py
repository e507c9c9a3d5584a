"""The house in order: small files, and no word that holds on one machine alone."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MOST_LINES = 299

# One letter of each stands in brackets, so that this file does not hold what it looks for.
HOSTS = re.compile(r"py[p]i\.org|pythonhoste[d]\.org|anacond[a]\.org|npmj[s]\.org|npmj[s]\.com|inde[x]-url")
MACHINE_PATHS = re.compile(r"(?<![\w.~}$])/(?:wor[k]|roo[t]|hom[e]/\w+|User[s]/\w+)/")


def _files() -> list[Path]:
    """Return the files of the repository, those that are not committed yet included."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _hits(pattern: re.Pattern[str]) -> list[str]:
    """Return each line in the repository that a pattern is found in, with its place."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_file_of_the_package_fits_its_bound() -> None:
    sizes = {path.relative_to(ROOT): len(path.read_bytes().splitlines()) for path in _files()}
    package = {path: size for path, size in sizes.items() if path.parts[0] == "retspec"}
    assert len(package) > 50
    assert {str(path): size for path, size in package.items() if size > MOST_LINES} == {}


def test_no_file_names_the_host_of_a_registry() -> None:
    assert _hits(HOSTS) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert _hits(MACHINE_PATHS) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (HOSTS, "pip install --index" + "-url https://example.org retspec"),
        (HOSTS, "see https://py" + "pi.org/project/retspec"),
        (MACHINE_PATHS, "cd /wor" + "k/main"),
        (MACHINE_PATHS, "file: '/roo" + "t/spec.yaml'"),
        (MACHINE_PATHS, "(/hom" + "e/me/spec.yaml)"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize("line", ["frame/work/x", "https://example.org/root/x", "~/work/x", "a/home/me/x"])
def test_a_path_inside_something_else_is_no_path_of_a_machine(line: str) -> None:
    assert not MACHINE_PATHS.search(line)
