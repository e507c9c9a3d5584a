"""A check is where its name says: one per file, and the file is named after it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from retspec.plugins.catalog import gather
from retspec.plugins.signatures import bounds, rare
from retspec.records import Direction
from tests.house.refresh import ROOT
from tests.plugins.conftest import EXAMPLE, RETFOUND

if TYPE_CHECKING:
    from retspec.plugin import Check

PACKAGES = {"retspec_features": EXAMPLE, "retspec_retfound": RETFOUND}


def _checks_of_the_repository() -> list[Check]:
    """Return the built-in checks, and those of the packages here."""
    with pytest.MonkeyPatch.context() as patch:
        for package in PACKAGES.values():
            patch.syspath_prepend(package / "src")
        return [*gather(PACKAGES, entry_points=False).checks.values()]


CHECKS = _checks_of_the_repository()


def _modules_of_the_repository() -> dict[str, set[str]]:
    """Return the names of the checks that each module holds."""
    modules: dict[str, set[str]] = defaultdict(set)
    for check in CHECKS:
        modules[_module(check)].add(check.name)
    return modules


def _module(check: Check) -> str:
    return str(check.function.__module__)


MODULES = _modules_of_the_repository()


def _file_name(names: set[str]) -> str:
    """Return what a file with these checks is called: the name of its one check, or what a pair of bounds bounds."""
    stems = {name.removeprefix("max_").removeprefix("min_") for name in names}
    pairs = [stem for stem in stems if names == {f"max_{stem}", f"min_{stem}"}]
    return (pairs or ["several checks that are no pair"])[0] if len(names) > 1 else next(iter(names))


def test_the_packages_of_the_repository_are_looked_at() -> None:
    assert {module.partition(".")[0] for module in MODULES} == {"retspec", *PACKAGES}
    assert len(MODULES) > 70


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_named_after_its_check_or_its_pair_of_bounds(module: str) -> None:
    assert module.rpartition(".")[2] == _file_name(MODULES[module])


def test_every_public_file_of_a_family_holds_a_check() -> None:
    folder = ROOT / "retspec" / "checks"
    files = {f"retspec.checks.{path.parent.name}.{path.stem}" for path in folder.glob("*/[!_]*.py")}
    assert files == {module for module in MODULES if module.startswith("retspec.")}


def test_every_check_with_a_limit_says_what_it_can_observe() -> None:
    """A limit is held against the end of what can be observed, or against where observations seldom get."""
    silent = [check.name for check in CHECKS if check.direction is not Direction.EQUAL and not _says_where(check)]
    assert silent == [], "return Count, Amount, Relative or Fraction, or a type with `Meta(le=…)` or `extra`"


def _says_where(check: Check) -> bool:
    least, greatest = bounds(check.value_type)
    end = greatest if check.direction is Direction.AT_MOST else least
    return end is not None or rare(check.value_type) is not None


def test_the_two_bounds_of_one_number_are_in_one_file() -> None:
    names = {name for each in MODULES.values() for name in each}
    bounded = {name.removeprefix("max_") for name in names if name.startswith("max_")}
    pairs = {stem for stem in bounded if f"min_{stem}" in names}
    assert pairs == {module.rpartition(".")[2] for module, each in MODULES.items() if len(each) > 1}


@pytest.mark.parametrize(
    ("names", "file"),
    [
        ({"loss_drop"}, "loss_drop"),
        ({"max_final_loss"}, "max_final_loss"),
        ({"max_grad_norm", "min_grad_norm"}, "grad_norm"),
        ({"max_grad_norm", "min_class_count"}, "several checks that are no pair"),
        ({"loss_drop", "max_loss_rise"}, "several checks that are no pair"),
    ],
)
def test_only_a_pair_of_bounds_shares_a_file(names: set[str], file: str) -> None:
    assert _file_name(names) == file
