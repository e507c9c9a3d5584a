"""One browser for all tests of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.report.page.browser import PROGRAM, WHY_NOT, Page, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab of a browser that all tests share; each test that needs it is skipped where there is none."""
    if PROGRAM is None:
        pytest.skip(WHY_NOT)
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield Page(browser)
