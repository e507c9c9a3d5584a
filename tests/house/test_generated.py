"""What is made from the code is as the code would make it now."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from retspec.plugins.catalog import gather
from tests.house.captures import TERMINAL
from tests.house.pages import FOLDER, REFRESH, index, page, pages, sections
from tests.house.refresh import (
    FIRST_MARKER,
    GENERATED,
    LAST_MARKER,
    PLUGINS,
    ROOT,
    SITE,
    SPEC_SCHEMA,
    refresh,
    with_checks,
)

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugins.kinds import Check

CATALOG = gather(entry_points=False)
PAGES = pages(CATALOG)
each_check = pytest.mark.parametrize("check", CATALOG.checks.values(), ids=CATALOG.checks)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated parts, made now, in place of what was there before."""
    folder = tmp_path_factory.mktemp("refreshed")
    (folder / FOLDER).mkdir(parents=True)
    for copied in (SITE, PLUGINS, TERMINAL):
        shutil.copy(ROOT / copied, folder / copied)
    (folder / FOLDER / "a_check_that_was_removed.md").touch()
    refresh(folder)
    return folder


@pytest.mark.parametrize("path", [*GENERATED, *PAGES])
def test_what_is_generated_is_fresh(path: str, refreshed: Path) -> None:
    committed = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else "missing"
    assert committed == (refreshed / path).read_text(encoding="utf-8"), f"{path} is stale; refresh it: {REFRESH}"


def test_the_schema_of_specs_says_each_thing_once() -> None:
    """Editors parse it for every spec; it was 12 kB per check when each said everything for itself."""
    assert (ROOT / SPEC_SCHEMA).stat().st_size < 2_700 * len(CATALOG.checks)


def test_no_page_is_left_of_a_check_that_is_gone(refreshed: Path) -> None:
    made = sorted(path.name for path in (refreshed / FOLDER).iterdir())
    assert made == sorted(path.rpartition("/")[2] for path in PAGES)
    assert sorted(path.name for path in (ROOT / FOLDER).iterdir()) == made, f"refresh it: {REFRESH}"


# The pages of the checks ---------------------------------------------------------------------------


def test_the_index_has_one_row_per_check_with_its_direction_and_its_question() -> None:
    rows = [line for line in index(CATALOG).splitlines() if line.startswith("| [`")]
    cells = [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in rows]
    expected = [(f"[`{c.name}`]({c.name}.md)", c.direction.value, c.question) for c in CATALOG.checks.values()]
    assert sorted(cells) == sorted(expected)


@each_check
def test_a_page_shows_the_example_of_the_check_as_a_criterion(check: Check) -> None:
    """`tests/checks/test_manual.py` holds that the example itself is valid."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", page(check, CATALOG), re.DOTALL | re.MULTILINE)
    assert yaml.safe_load(block) == {"checks": yaml.safe_load(sections(check.doc)["Example"])}


@each_check
def test_a_page_says_all_that_the_check_declares(check: Check) -> None:
    text = page(check, CATALOG)
    assert f"\n# {check.question}\n" in text
    (limit,) = re.findall(r"^\| direction \|.*\n.*\n\| (.*) \|$", text, re.MULTILINE)
    direction, _, unit, default = limit.split(" | ")
    assert (direction, unit) == (check.direction.value, check.unit or "none")
    assert (default == "none: the spec gives it") == (check.default_limit is None)
    assert (f"sets the argument `{check.shorthand}`" in text) == (check.shorthand is not None)
    assert check.advice in re.sub(r"\[(`\w+`)\]\(\w+\.md\)", r"\1", text)
    for argument in CATALOG.arguments_of(check):
        assert text.count(f"| `{argument}` |") == 1
    for measurement in CATALOG.measurements_of(check):
        assert f"- measurement `{measurement}` (" in text


@each_check
def test_the_file_that_a_page_names_holds_the_check(check: Check) -> None:
    (path,) = re.findall(r"^- check `\w+`: `(.+)`$", page(check, CATALOG), re.MULTILINE)
    assert f"def {check.name}(" in (ROOT / path).read_text(encoding="utf-8")


# The navigation ------------------------------------------------------------------------------------


def test_only_what_is_between_the_markers_is_replaced() -> None:
    settings = with_checks(f"before {FIRST_MARKER} of long ago {LAST_MARKER} after\n")
    assert settings.startswith(f"before {FIRST_MARKER}")
    assert settings.endswith(f"{LAST_MARKER} after\n")
    assert "of long ago" not in settings
    assert with_checks(settings) == settings


@pytest.mark.parametrize("settings", ["", FIRST_MARKER, FIRST_MARKER * 2 + LAST_MARKER, LAST_MARKER + FIRST_MARKER])
def test_settings_without_the_markers_are_refused(settings: str) -> None:
    """A marker that was lost must not end in a navigation that nobody refreshes."""
    with pytest.raises(ValueError, match="values to unpack"):
        with_checks(settings)
