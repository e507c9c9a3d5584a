"""What can be asked for by name is documented and tested: a rule for each kind of thing, so that no new one slips in.

After datasette's tests/test_docs.py and tests/test_plugins.py, which hold its hooks, settings and filters the same way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from retspec.cli.commands import COMMANDS
from retspec.plugins.catalog import gather
from retspec.plugins.hooks import HookSpecs
from retspec.plugins.kinds import PARTS, PROJECT, RECIPE, Source
from tests.house.refresh import ROOT
from tests.plugins.conftest import EXAMPLE, RETFOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

CATALOG = gather(entry_points=False)
HOOKS = sorted(name for name in vars(HookSpecs) if name.startswith(f"{PROJECT}_"))
SOURCES = sorted(
    f"{source.kind}.{source.name}"
    for kind in vars(CATALOG).values()
    if isinstance(kind, dict)
    for source in kind.values()
    if isinstance(source, Source)
)
PAGES = [ROOT / "README.md", ROOT / "plugins" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDE = ROOT / "docs" / "plugins.md"
SPECS = [
    *(ROOT / "specs").glob("*.yaml"),
    *(path for kind in ("*.py", "*.yaml") for path in (ROOT / "tests").rglob(kind)),
]
TESTS = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in SPECS)


# Documented ----------------------------------------------------------------------------------------


def without_row(names: Collection[str]) -> list[str]:
    """Return the names that are the first cell of no row in a table of the guide."""
    rows = set(re.findall(r"^\| `([^`]+)` +\|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    return [name for name in names if name not in rows]


def without_call(names: Collection[str]) -> list[str]:
    """Return the commands that no page shows with its arguments, as `retspec NAME …`."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return [name for name in names if not re.search(rf"`retspec {name}[ `]", pages)]


@pytest.mark.parametrize(
    "names",
    [HOOKS, SOURCES, sorted(PARTS), [*CATALOG.measurements], [*CATALOG.reporters]],
    ids=["hooks", "sources", "parts of the subject", "measurements", "reporters"],
)
def test_everything_that_a_plugin_can_name_has_a_row_in_its_guide(names: list[str]) -> None:
    assert without_row(names) == [], f"write a row for each in {GUIDE.relative_to(ROOT)}"


def test_every_command_is_shown() -> None:
    assert without_call(COMMANDS) == [], "show it in the README or below docs/"


# Tested --------------------------------------------------------------------------------------------
#
# A reporter has a golden file: `tests/report/formats/test_golden.py`. A hook is called in a real run:
# `tests/plugins/test_every_hook.py`. A check has its cases: `tests/checks/test_cases.py`.


def never_in_a_spec(sources: Collection[str]) -> list[str]:
    """Return the sources that no spec of the tests has in its section."""

    def named(source: str) -> str:
        section, _, name = source.partition(".")
        if name == RECIPE:
            return rf"\b{section}:"  # what the section means without a key of its own
        return rf"\b{section}:\s*\{{{{?\s*{name}:|\b{section}:\s*\n\s+{name}:"

    return [source for source in sources if not re.search(named(source), TESTS)]


def never_called(commands: Collection[str]) -> list[str]:
    """Return the commands that no test calls, by a fixture or by `main`."""
    return [name for name in commands if not re.search(rf'\b(?:retspec|program|main)\(\s*\[?"{name}"', TESTS)]


def never_read(measurements: Collection[str]) -> list[str]:
    """Return the measurements that no check with cases reads, directly or not."""
    read = {name for check in CATALOG.checks.values() for name in CATALOG.measurements_of(check)}
    return [name for name in measurements if name not in read]


def never_asked_for(parts: Collection[str]) -> list[str]:
    """Return the parts of the subject that no shipped measurement asks for."""
    shipped = gather(["retspec_features", "retspec_retfound"], entry_points=False)
    asked = {name for measurement in shipped.measurements.values() for name in measurement.inputs}
    return [part for part in parts if part not in asked]


@pytest.fixture(autouse=True)
def _plugins_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in (EXAMPLE, RETFOUND):
        monkeypatch.syspath_prepend(package / "src")


@pytest.mark.parametrize(
    ("untested", "names"),
    [
        (never_in_a_spec, SOURCES),
        (never_called, [*COMMANDS]),
        (never_read, [*CATALOG.measurements]),
        (never_asked_for, sorted(PARTS)),
    ],
    ids=["sources", "commands", "measurements", "parts of the subject"],
)
def test_everything_is_used_by_a_test(untested: Callable[[Collection[str]], list[str]], names: list[str]) -> None:
    assert names
    assert untested(names) == []


# The rules find what they are for ------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", [without_row, without_call, never_in_a_spec, never_called, never_read, never_asked_for]
)
def test_a_rule_finds_what_nobody_wrote_about(rule: Callable[[Collection[str]], list[str]]) -> None:
    new = "data." + "newcomer"
    assert rule([new]) == [new]
