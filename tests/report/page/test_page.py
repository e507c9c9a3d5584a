"""The page holds every fact as text, hides nothing hostile in it, and is the same for the same results."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import Mark, UsageError
from retspec.records import MOST_PICTURES, Direction, Measured, Output, Picture, Provenance, Report, Verdict
from retspec.report.formats.github import github
from retspec.report.formats.junit import junit
from retspec.report.formats.markdown import markdown
from retspec.report.formats.results import json as results_json
from retspec.report.formats.table import render_table
from retspec.report.page import render_fragment, render_page
from retspec.report.page.marks import grid
from retspec.results.results_file import read_report
from tests.report.formats.sample import criterion, failed, judged, report, sample, waiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = (
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)> javascript:alert(3) \u202egnp.exe {{ 7 * 7 }}"
)


class Reader(HTMLParser):
    """Collects the elements of a page and its texts, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._silent = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._silent = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name]


def _hostile() -> Report:
    held = criterion(
        f"a{HOSTILE}",
        cell=HOSTILE,
        check=HOSTILE,
        description=HOSTILE,
        advice=HOSTILE,
        unit=HOSTILE,
        question=HOSTILE,
        tags=(HOSTILE,),
        arguments={HOSTILE: HOSTILE},
        mark=Mark(f"{HOSTILE}.yaml", 1, 1),
    )
    accepted = criterion("d", waive=waiver(reason=HOSTILE, owner=HOSTILE))
    provenance = Provenance(
        spec_sha256=HOSTILE,
        subject={HOSTILE: {HOSTILE: HOSTILE}},
        device=HOSTILE,
        platform=HOSTILE,
        hostname=HOSTILE,
        versions={HOSTILE: HOSTILE},
        plugins={HOSTILE: HOSTILE},
    )
    facts: dict[str, Any] = {"counts": {HOSTILE: {HOSTILE: 3}}, "classes": {}, "missing": [], "shared_groups": []}
    return report(
        judged(held, 0.25, {HOSTILE: [HOSTILE] * 20, "b": {HOSTILE: HOSTILE}}),
        failed(criterion("c"), Verdict.ERROR, HOSTILE, trace=HOSTILE, output=(Output(source=HOSTILE, stdout=HOSTILE),)),
        judged(accepted, 0.1),
        provenance=provenance,
        file=f"{HOSTILE}.yaml",
        notes=(HOSTILE,),
        name=HOSTILE,
        description=HOSTILE,
        faults=(HOSTILE,),
        measurements=(Measured(key="splits", facts=facts | {"has_groups": False, "notes": []}),),
    )


def test_the_same_results_give_the_same_page_stored_or_not(tmp_path: Path) -> None:
    page = render_page([sample()])
    stored = {"results.json": results_json(sample()), "report.html": page}
    for name, text in stored.items():
        (tmp_path / name).write_text(text)
        assert render_page([read_report(tmp_path / name)]) == page


def test_a_page_is_read_as_the_results_that_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(render_page([_hostile()]))
    (tmp_path / "a.json").write_text(results_json(_hostile()))
    assert read_report(tmp_path / "a.html") == read_report(tmp_path / "a.json")


def test_html_without_results_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<!DOCTYPE html><p>nothing</p>")
    with pytest.raises(UsageError, match=r"a\.html: this HTML file holds no results"):
        read_report(tmp_path / "a.html")


def test_every_verdict_is_a_word_in_order_worst_first() -> None:
    text = Reader(render_page([sample()])).text
    names = [result.criterion.id for result in sample().results]
    assert all(name in text for name in names)
    heads = re.findall(
        r"(missed|crash|out of memory|timeout|error|not run|inconclusive|warned|waived|skipped|met) (\w+)", text
    )
    order = [word for word, name in heads if name in names]
    assert order[:4] == ["missed", "missed", "crash", "out of memory"]
    assert order.index("warned") > order.index("inconclusive")
    assert order[-1] == "met"


def test_every_fact_is_there_as_text() -> None:
    text = Reader(render_page([sample()])).text
    for result in sample().results:
        assert " ".join(result.reason.split()).replace("`", "") in text
        if result.verdict in {Verdict.MISSED, Verdict.WARNED, Verdict.WAIVED}:
            assert result.criterion.advice.replace("`", " ").split()[-1] in text
    for fact in (
        "By which fraction does the loss fall?",
        "specs/lora_preflight.yaml:22",
        "blocks.48.attn.qkv",
        "0f0f0f",
    ):
        assert fact in text
    assert "The loss goes from 1.6 to 1.1 over 2 steps." in text
    assert "Without a gradient" not in text


@pytest.mark.parametrize("render", [lambda: render_page([_hostile()]), lambda: render_page([_hostile()] * 3)])
def test_what_is_hostile_is_shown_and_does_nothing(render: Callable[[], str]) -> None:
    page = render()
    found = Reader(page)
    assert [tag for tag, _ in found.elements if tag in {"img", "iframe", "object", "embed", "form", "base"}] == []
    scripts = [attributes for tag, attributes in found.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "retspec-results"}, {}]
    assert not [
        name for _, attributes in found.elements for name in attributes if name.startswith("on") or name == "style"
    ]
    assert {link[:1] for link in found.attributes("href")} <= {"#", "d"}
    assert "javascript:alert(3)" in found.text
    assert "\u202e" not in page
    assert r"\u202egnp.exe" in found.text
    assert "{{ 7 * 7 }}" in found.text


def test_details_of_10_mb_are_shown_in_part_and_held_whole() -> None:
    held: dict[str, Any] = {"a text": "x" * 10_000_000, "k" * 1_000_000: 1, "deep": [[[[[["y" * 1_000_000]]]]]]}
    whole = report(judged(criterion("a"), 0.25, held | {f"n{index}": index for index in range(5_000)}))
    shown, _, embedded = render_page([whole]).partition('<script type="application/json"')
    assert len(shown) < 400_000
    assert "x… (10,000,000 characters)" in shown
    assert "4,003 more details" in shown
    assert len(embedded) > 12_000_000
    for text in (render_table(whole), markdown(whole), junit(whole), github(whole)):
        assert len(text) < 1_000_000


def test_links_lead_to_places_on_the_page_and_places_are_unique() -> None:
    from urllib.parse import unquote

    for page in (render_page([sample()]), render_page([_matrix()]), render_page([sample(), _later()])):
        found = Reader(page)
        places = found.attributes("id")
        assert len(places) == len({*places})
        links = [link for link in found.attributes("href") if link.startswith("#")]
        assert links
        assert {unquote(link[1:]) for link in links} <= {*places}


def test_a_plot_is_beside_the_worst_criterion_that_it_explains() -> None:
    page = render_page([sample()])
    section = page[page.index('<section class="criterion missed" id="loss_drop"') :]
    assert 'id="figure.training.loss"' in section[: section.index("</section>")]
    assert page.count('id="figure.training.loss"') == 1


def test_facts_that_are_not_those_of_the_measurement_have_no_plot() -> None:
    odd = [
        Measured(key="training", facts={"losses": "none"}),
        Measured(key="mine", facts={"a": 1}),
        Measured(key="loop"),
    ]
    assert "<figure id" not in render_page([report(judged(criterion(), 0.9), measurements=tuple(odd))])


def _matrix() -> Report:
    cells = [replace(sample(), cell=cell, name=f"sweep[{cell}]", results=_of_cell(cell)) for cell in ("r=4", "r=8")]
    return report(name="sweep", cells=tuple(cells))


def _of_cell(cell: str) -> tuple[Any, ...]:
    return tuple(replace(each, criterion=replace(each.criterion, cell=cell)) for each in sample().results)


def test_a_matrix_is_a_grid_of_cells_and_criteria() -> None:
    page = render_page([_matrix()])
    table = page[page.index('<table class="matrix">') : page.index("</table>")]
    found = Reader(table)
    assert found.texts[:4] == ["criterion", "r=4", "r=8", "max_trainable_params"]
    assert "#loss_drop%5Br%3D8%5D" in found.attributes("href")
    assert 'id="loss_drop[r=8]"' in page


def _thousand(*, is_later: bool = False) -> Report:
    """Return a report of 1,000 cells of one criterion; every hundredth misses it, in a later run all others, too."""

    def cell(number: int) -> Report:
        held = criterion("embed_dim", 1, cell=f"r={number}")
        value = 0 if is_later or number % 100 == 0 else 1
        return report(judged(held, value), cell=held.cell, name=f"sweep[{held.cell}]")

    started = "2026-01-17T09:30:00" if is_later else "2026-01-15T09:30:00"
    return report(name="sweep", started=started, cells=tuple(map(cell, range(1000))))


def test_a_page_shows_the_worst_of_very_many_cells_and_counts_all() -> None:
    page = render_page([_thousand()])
    found = Reader(page)
    assert "From here on this page shows 256 of 1,000 cells, those with the worst verdicts." in found.text
    counts = Reader(page[page.index('<table class="counts">') : page.index('<table class="matrix">')])
    assert counts.texts[2:5] == ["embed_dim", "10 missed", ","]
    assert "990 met" in counts.texts
    matrix = page[page.index('<table class="matrix">') :]
    cells = Reader(matrix[: matrix.index("</table>")]).texts[1:257]
    assert {f"r={number}" for number in range(0, 1000, 100)} < {*cells}
    assert cells == sorted(cells, key=lambda name: int(name[2:])), "they keep their order"
    assert page.count('<section class="criterion missed"') == 10
    assert len(page) - len(page[page.index('id="retspec-results">') :]) < 1_000_000


def test_what_a_page_does_not_show_is_not_linked_to() -> None:
    from urllib.parse import unquote

    found = Reader(render_page([_thousand(), _thousand(is_later=True)]))
    links = {unquote(link[1:]) for link in found.attributes("href") if link.startswith("#")}
    assert len(links) >= 256
    assert links <= {*found.attributes("id")}
    assert "embed_dim[r=999]" in found.text


def _later(**changes: Any) -> Report:
    """Return results a day later in which one criterion is worse."""
    results = [judged(each.criterion, 0.21) if each.criterion.id == "loss_drop" else each for each in sample().results]
    versions = replace(sample().provenance, versions={"retspec": "0.1.0", "torch": "2.11.0"})
    fields = {"started": "2026-01-16T09:30:00", "results": tuple(results), "provenance": versions}
    return replace(sample(), **fields | changes)


def test_two_results_show_what_changed_first_in_whatever_order_they_come() -> None:
    page = render_page([sample(), _later()])
    assert render_page([_later(), sample()]) == page
    text = Reader(page).text
    assert text.index("Since 2026-01-15 09:30:00 UTC") < text.index("Needs a look")
    assert "loss_drop 0.31 0.21 \N{MINUS SIGN}0.1 (\N{MINUS SIGN}32.3%) at least 0.5 worse missed" in text
    assert "versions.torch 2.10.0 2.11.0" in text
    assert "before 0.31 , missed" in text or "before 0.31, missed" in text


def test_of_results_of_the_same_second_the_first_is_the_latest() -> None:
    first, second = replace(sample(), name="first"), replace(sample(), name="second")
    assert "<h1>first</h1>" in render_page([first, second])


def test_more_results_show_the_course_of_each_criterion() -> None:
    runs = [sample(), _later(), _later(started="2026-01-17T09:30:00")]
    page = render_page(runs)
    text = Reader(page).text
    assert "3 runs" in text
    assert "torch 2.10.0 → 2.11.0" in text
    row = page[page.index('<a href="#loss_drop">loss_drop</a></th><td><svg class="sparkline"') :]
    assert 'aria-label="3 values from 0.21 to 0.31"' in row[: row.index("</tr>")]
    assert row[: row.index("</tr>")].count('class="change"') == 1
    assert row[: row.index("</tr>")].count('class="limit"') == 1


def test_pictures_are_shown_with_what_they_are_and_a_warning() -> None:
    uri = "data:image/jpeg;base64,/9j/4AAQSkZJRg=="
    pictures = [Picture(caption=HOSTILE, group=HOSTILE, image=uri) for _ in range(30)]
    page = render_page([report(judged(criterion(), 0.9), pictures=tuple(pictures))])
    found = Reader(page)
    assert found.attributes("src") == [uri] * MOST_PICTURES
    assert "anyone who gets this file sees them" in found.text
    assert "&lt;script&gt;alert(1)" in page
    assert "alert(2)" not in " ".join(found.attributes("onerror"))


def test_no_group_of_pictures_and_no_cell_pushes_out_another() -> None:
    uri = "data:image/webp;base64,UklGRg=="
    groups = {"Attention rollout (after 3 steps)": 2, "A batch": 30, "Wrong: 3 of 4": 30, HOSTILE: 30}
    pictures = tuple(
        Picture(caption="a", group=group, image=uri) for group, count in groups.items() for _ in range(count)
    )
    page = render_page([report(judged(criterion(), 0.9), pictures=pictures)])
    texts = Reader(page).attributes("alt")
    assert [sum(each.startswith(word) for each in texts) for word in ("Attention rollout,", "A batch,", "Wrong,")] == [
        2,
        8,
        7,
    ]
    assert len(texts) == len({*texts}) == MOST_PICTURES
    assert "68 more are in the results alone" in Reader(page).text
    cells = [replace(report(judged(criterion(cell=name), 0.9), pictures=pictures), cell=name) for name in "abc"]
    page = render_page([report(cells=tuple(cells))])
    assert len(Reader(page).attributes("alt")) == MOST_PICTURES
    sections = page.split("Pictures of the data: ")[1:]
    assert [section.count("<img") for section in sections] == [8, 8, 8]


@pytest.mark.parametrize(
    "image",
    ["https://example.org/a.png", "javascript:alert(1)", "data:image/svg+xml;base64,PHN2Zz4=", "data:text/html,x", ""],
)
def test_a_picture_that_would_load_or_run_something_is_left_out(image: str) -> None:
    page = render_page([report(judged(criterion(), 0.9), pictures=(Picture(caption="a", group="b", image=image),))])
    assert "<img" not in page
    assert "Pictures of the data" not in page


def test_a_report_without_anything_has_a_page() -> None:
    assert "nothing judged" in Reader(render_page([report()])).text


def test_a_notebook_gets_the_sections_without_the_frame() -> None:
    shown = sample()._repr_html_()
    assert shown == render_fragment(sample())
    assert "<html" not in shown
    assert "<script" not in shown
    assert Reader(shown).text in Reader(render_page([sample()])).text


def test_a_page_of_66_criteria_and_20_plots_is_small() -> None:
    names = [f"criterion_{number}" for number in range(66)]
    advice, question = "Raise the learning rate, or train for more steps.", "By which fraction does the loss fall?"
    details = {"first": 1.7371, "last": 0.0278, "worst layer": "blocks.0.attn.qkv", "per class": [0.1] * 5}
    results = [
        judged(criterion(name, check="loss_drop", advice=advice, question=question), 0.4 + number / 100, details)
        for number, name in enumerate(names)
    ]
    curve = [1.6 * 0.93**step for step in range(100)]
    facts = sample().measurements[0].facts | {"losses": curve, "seconds": curve, "gradients": []}
    measurements = [Measured(key=f"training(steps={n})", facts=facts, criteria=tuple(names[n::10])) for n in range(10)]
    page = render_page([report(*results, measurements=tuple(measurements))])
    assert page.count('class="plot"') >= 20
    assert len(page.encode()) < 300_000


def test_the_script_and_the_style_are_small_and_load_nothing() -> None:
    page = render_page([sample()])
    script = page[page.rindex("<script>") : page.rindex("</script>")]
    assert len(script) < 5_000
    assert not re.search(
        r"https?:|@import|url\(|fetch\(|XMLHttpRequest|innerHTML|eval\(", page.replace(_embedded(page), "")
    )


def test_the_results_inside_are_json() -> None:
    assert json.loads(_embedded(render_page([_hostile()])))["name"] == HOSTILE


def _embedded(page: str) -> str:
    start = page.index('id="retspec-results">') + len('id="retspec-results">')
    return page[start : page.index("</script>", start)]


@pytest.mark.parametrize("value", [0.0, -3.0, 1e308, 10**400, 5e-324])
@pytest.mark.parametrize("direction", [Direction.AT_MOST, Direction.AT_LEAST])
def test_any_number_can_be_drawn_against_its_limit(value: float, direction: Direction) -> None:
    result = judged(criterion(limit=1e-3, direction=direction, warn=0), value)
    page = render_page([report(result)])
    assert "nan" not in page.replace(_embedded(page), "").replace("nance", "")


@pytest.mark.parametrize("norm", [1e308, math.inf])
def test_a_gradient_beyond_all_numbers_is_drawn_as_the_darkest(norm: float) -> None:
    drawn = grid("norms", ["a", "b"], ("step", "1", "2"), [[norm, 1.0], [None, 0.0]])
    assert drawn.count('stroke-opacity="1"') == 1
    assert "nan" not in drawn


def test_a_long_name_in_the_banner_breaks_between_its_words() -> None:
    subject = {"model": {"source": "timm", "value": "vit_small_patch14_reg4/a"}}
    page = render_page([report(provenance=Provenance(subject=subject))])
    assert "<dd>timm vit_<wbr>small_<wbr>patch14_<wbr>reg4/<wbr>a</dd>" in page


def test_a_run_that_tells_nothing_of_where_it_was_has_no_section_for_it() -> None:
    assert 'id="page.origin"' not in render_page([report(provenance=Provenance())])
    assert 'id="page.origin"' in render_page([report(provenance=Provenance(hostname="a"))])
