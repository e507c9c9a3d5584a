"""On paper nothing is cut and no number broken: tables wrap, what is folded is open; it is white in the dark scheme."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from retspec.report.page import render_page
from tests.proving.test_proof_screen import proof
from tests.report.page.pages import compared, history, large, matrix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.report.page.browser import Page

PAGES = {
    "large": lambda: render_page([large()]),
    "comparison": lambda: render_page(compared()),
    "proof": lambda: render_page([replace(large(), proof=proof(24))]),
    "history": lambda: render_page(history()),
    "matrix": lambda: render_page([matrix()]),
}
A4 = 718
"""Width of what Chromium prints on, in CSS pixels: 210 mm without margins of 0.4 inches."""
CUT = f"""[...document.querySelectorAll("main *")].filter((each) => !each.closest("svg")
  && (each.getBoundingClientRect().right > {A4} + 1
    || (getComputedStyle(each).overflowX !== "visible" && each.clientWidth > 1
      && each.scrollWidth > each.clientWidth + 1)))
  .map((each) => each.outerHTML.slice(0, 120))"""
FOLDED = """[...document.querySelectorAll("main details > :not(summary)")]
  .filter((each) => !each.checkVisibility({contentVisibilityAuto: true})
    || !each.getBoundingClientRect().height && each.textContent.trim()).map((each) => each.outerHTML.slice(0, 120))"""

BROKEN = r"""[...document.querySelectorAll("main :is(td, th)")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[^\s-]{1,12}(?=\s|$)/g)) {
      if (word.index && !/\s/.test(texts.currentNode.data[word.index - 1])) continue;
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((each) => Math.round(each.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
})"""
"""Short words and numbers of tables that go on in the next line: "0.4" above "5" is read as another number."""


@pytest.fixture
def paper(page: Page) -> Iterator[Page]:
    """A tab as wide as paper that shows what is printed, for somebody who prefers the dark scheme."""
    page.resize(A4)
    page.prefer("print", prefers_color_scheme="dark")
    yield page
    page.prefer()


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_is_cut_or_folded_on_paper(paper: Page, kind: str, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(PAGES[kind]())
    paper.open(tmp_path / "report.html")
    assert paper.evaluate(CUT) == []
    assert paper.evaluate(BROKEN) == []
    assert paper.evaluate(FOLDED) == []
    assert paper.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert paper.evaluate("getComputedStyle(document.querySelector('.missed.verdict')).color") == "rgb(185, 32, 43)"
    assert paper.evaluate("document.querySelector('.tools').checkVisibility()") is False


def test_each_cell_of_a_printed_matrix_is_named(paper: Page, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(PAGES["matrix"]())
    paper.open(tmp_path / "report.html")
    first = paper.evaluate("getComputedStyle(document.querySelector('.matrix td'), '::before').content")
    assert first == '"r=2,lr=1e-4"'
