"""axe-core finds nothing on a page of any kind, in both schemes.

https://github.com/dequelabs/axe-core: its rules of WCAG 2.2, levels A and AA, and its best practices. Its file is
fetched by npm once; where that is impossible, these tests are skipped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from retspec.report.page import render_page
from tests.npm import library
from tests.report.page.pages import history, large, matrix, pictured

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.page.browser import Page

VERSION = "4.14.1"
PAGES = {
    "history": lambda: render_page(history()),
    "pictures": lambda: render_page([pictured()]),
    "matrix": lambda: render_page([matrix()]),
}


@pytest.fixture(scope="session")
def axe() -> str:
    return library("axe-core", VERSION, "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", PAGES)
def test_axe_finds_nothing(page: Page, axe: str, kind: str, tmp_path: Path) -> None:
    """The history holds all that a page of one run holds, and all of a comparison."""
    _open(page, axe, tmp_path, PAGES[kind]())
    assert _found(page) == []


def test_axe_finds_nothing_in_the_dark(page: Page, axe: str, tmp_path: Path) -> None:
    """Only contrasts depend on the scheme."""
    _open(page, axe, tmp_path, render_page([large()]), "dark")
    assert _found(page, runOnly=["color-contrast"]) == []


def test_axe_is_not_silent(page: Page, axe: str, tmp_path: Path) -> None:
    poor = "<!doctype html><title>a</title><button></button><p style='color: #ccc'>some words</p>"
    _open(page, axe, tmp_path, poor)
    assert {each["id"] for each in _found(page)} >= {"button-name", "color-contrast", "html-has-lang"}


def _open(page: Page, axe: str, folder: Path, text: str, scheme: str = "light") -> None:
    """Open a page with all its details, and axe in it."""
    (folder / "report.html").write_text(text)
    page.resize(1200)
    page.prefer(prefers_color_scheme=scheme)
    page.open(folder / "report.html")
    page.evaluate(axe)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


def _found(page: Page, **options: Any) -> list[dict[str, Any]]:
    """Return each violation, with some of the elements that it is about."""
    fixed = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}
    options = fixed | options
    found = page.evaluate(f"axe.run(document, {json.dumps(options)}).then((each) => JSON.stringify(each.violations))")
    return [
        {"id": each["id"], "impact": each["impact"], "nodes": [node["html"][:200] for node in each["nodes"][:5]]}
        for each in json.loads(found)
    ]
