"""The page in a real Chromium: it loads nothing, complains of nothing, and is readable in every state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from retspec.report.page import render_page
from tests.report.formats.sample import sample
from tests.report.page.pages import GROUPS, pictured
from tests.report.page.test_page import _hostile, _later, _matrix

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.page.browser import Page

PAGES = {
    "one": render_page([sample()]),
    "hostile": render_page([_hostile()]),
    "matrix": render_page([_matrix()]),
    "pictures": render_page([pictured()]),
    "history": render_page([sample(), _later(), _later(started="2026-01-17T09:30:00")]),
}
WIDER = """[...document.querySelectorAll("main *")].filter((each) => !each.closest(".wide, pre, svg")
  && each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 120))"""
CONTRAST = """[...document.querySelectorAll(".verdict, .quiet, dt, figcaption, .limit")].map((each) => {
  const light = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [getComputedStyle(each).color, getComputedStyle(document.body).backgroundColor].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})"""


@pytest.fixture(params=PAGES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(PAGES[request.param])
    return path


@pytest.mark.parametrize("width", [360, 1200])
def test_it_requests_nothing_complains_of_nothing_and_fits(page: Page, file: Path, width: int) -> None:
    page.resize(width)
    page.open(file)
    assert [url for url in page.requests if not url.startswith("data:")] == []
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 360])
def test_its_headings_stay_within_the_margins(page: Page, width: int, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(PAGES["history"])
    page.resize(width)
    page.open(tmp_path / "report.html")
    beyond = """[...document.querySelectorAll("main :is(h1, h2, h3, h4)")]
      .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent)"""
    assert page.evaluate(beyond) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_words_can_be_read_in_both_schemes(page: Page, file: Path, scheme: str) -> None:
    """WCAG 2.2 asks for a contrast of 4.5: https://www.w3.org/TR/WCAG22/#contrast-minimum."""
    page.prefer(prefers_color_scheme=scheme)
    page.open(file)
    found = page.evaluate(CONTRAST)
    assert found
    assert min(found) >= 4.5
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)") == (
        scheme == "light"
    )


def test_everything_is_there_without_script_and_style(page: Page, file: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.html"
    bare.write_text(re.sub(r"<(style|script)>.*?</\1>", "", file.read_text(), flags=re.DOTALL))
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(bare)
        text = page.evaluate("document.querySelector('main').textContent")
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)
    page.open(file)
    page.evaluate("document.querySelector('.tools')?.remove()")
    assert page.evaluate("document.querySelector('main').textContent").split() == text.split()


def test_pictures_are_drawn(page: Page, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(PAGES["pictures"])
    page.open(tmp_path / "report.html")
    widths = page.evaluate("[...document.querySelectorAll('.pictures img')].map((each) => each.naturalWidth)")
    assert widths == [96] * 24
    shown = "[...document.querySelectorAll('.gallery h3')].map((each) => each.textContent)"
    assert page.evaluate(shown) == [*GROUPS]
    texts = page.evaluate("[...document.querySelectorAll('.pictures img')].map((each) => each.alt)")
    assert texts[::6] == [
        "One image under its augmentations, picture 1",
        "A batch as the model gets it, picture 1",
        "Wrong after 20 steps on this batch alone, picture 1",
        "Attention rollout, picture 1",
    ]
    assert len({*texts}) == 24


def test_a_link_to_a_met_criterion_opens_it(page: Page, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(PAGES["one"])
    page.open(tmp_path / "report.html", "#merge_atol")
    assert page.evaluate("document.getElementById('merge_atol').closest('details').open") is True


def test_the_tools_filter_by_word_and_verdict(page: Page, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(PAGES["one"])
    page.open(tmp_path / "report.html")
    shown = "[...document.querySelectorAll('.criterion')].filter((each) => !each.hidden).length"
    assert page.evaluate(shown) == len(sample().results)
    page.evaluate(
        "[...document.querySelectorAll('.tools button')].find((each) => each.textContent === 'missed').click()"
    )
    assert page.evaluate(shown) == 2
    page.evaluate(
        "const s = document.querySelector('.tools input'); s.value = 'lora_lay'; s.dispatchEvent(new Event('input'))"
    )
    assert page.evaluate(shown) == 1


def test_it_can_be_printed(page: Page, file: Path) -> None:
    page.open(file)
    assert page.printed().startswith(b"%PDF")
