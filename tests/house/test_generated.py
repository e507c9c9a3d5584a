"""What is made from the code is as the code would make it now."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from retspec.plugins.catalog import gather
from tests.house.refresh import FIRST_MARKER, GENERATED, LAST_MARKER, PLUGINS, README, ROOT, refresh, with_checks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated parts, made now."""
    folder = tmp_path_factory.mktemp("refreshed")
    for page in (README, PLUGINS):
        (folder / page).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / page, folder / page)
    refresh(folder)
    return folder


@pytest.mark.parametrize("path", GENERATED)
def test_what_is_generated_is_fresh(path: str, refreshed: Path) -> None:
    committed, fresh = ((root / path).read_text(encoding="utf-8") for root in (ROOT, refreshed))
    assert committed == fresh, f"{path} is stale; refresh it: python -m tests.house.refresh"


def test_the_table_has_one_row_per_check_with_its_direction_and_its_question() -> None:
    catalog = gather(entry_points=False)
    rows = [line for line in with_checks(f"{FIRST_MARKER}{LAST_MARKER}").splitlines() if line.startswith("| `")]
    cells = [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in rows]
    assert sorted(cells) == [(f"`{c.name}`", c.direction.value, c.question) for c in catalog.checks.values()]


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    page = with_checks(f"before {FIRST_MARKER} stale {LAST_MARKER} after\n")
    assert page.startswith(f"before {FIRST_MARKER}\n")
    assert page.endswith(f"{LAST_MARKER} after\n")
    assert "stale" not in page
    assert with_checks(page) == page


@pytest.mark.parametrize("page", ["", FIRST_MARKER, FIRST_MARKER * 2 + LAST_MARKER, LAST_MARKER + FIRST_MARKER])
def test_a_page_without_its_markers_is_refused(page: str) -> None:
    """A marker that was lost must not end in a table that nobody refreshes."""
    with pytest.raises(ValueError, match="values to unpack"):
        with_checks(page)
