"""`constraints.txt` is read by pip alone, in CI: what a merge breaks in it is seen here first."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.refresh import ROOT

LINES = [
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
]
# https://packaging.python.org/en/latest/specifications/name-normalization/ and …/version-specifiers/
PIN = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|\.post)[0-9]+)?)")


def _required() -> list[Requirement]:
    """Return what the project needs: to run, to be built, and for each extra but its own extras."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [
        declared["build-system"]["requires"],
        declared["project"]["dependencies"],
        *declared["project"]["optional-dependencies"].values(),
    ]
    needed = [Requirement(each) for listed in lists for each in listed]
    return [each for each in needed if each.name != declared["project"]["name"]]


def test_each_line_pins_one_version_of_one_package() -> None:
    assert [line for line in LINES if not PIN.fullmatch(line)] == []


def test_no_package_is_pinned_twice() -> None:
    names = [canonicalize_name(line.partition("==")[0]) for line in LINES]
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("requirement", _required(), ids=str)
def test_a_requirement_is_met_by_its_pin(requirement: Requirement) -> None:
    pins = {canonicalize_name(name): version for name, version in (line.split("==", 1) for line in LINES)}
    version = pins.get(canonicalize_name(requirement.name))
    assert version, f"constraints.txt pins no {requirement.name}"
    assert Version(version) in requirement.specifier
