"""The strip of a criterion that was measured under several seeds."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from retspec.judge import judge
from retspec.records import Aggregate, Direction, Observed, Outcome, Verdict
from retspec.report.page import render_page
from retspec.report.page.png import plots_of
from retspec.report.page.strip import strip_of
from tests.report.formats.sample import TODAY, criterion, report
from tests.report.formats.test_seeds import FLIPPING, STEADY, WIDE, under

if TYPE_CHECKING:
    from retspec.records import Result
    from retspec.report.page.figures.figure import Figure


def strip(result: Result) -> Figure:
    found = strip_of(result)
    assert found is not None
    return found


def circles(figure: Figure) -> list[dict[str, str]]:
    return [each.attrib for each in ET.fromstring(figure.drawing) if each.tag == "circle"]  # noqa: S314 - of this package


def dots(figure: Figure) -> tuple[list[float], float]:
    """Return where the rings are, and the filled dot."""
    found = circles(figure)
    (filled,) = [float(each["cx"]) for each in found if "fill" in each]
    return sorted(float(each["cx"]) for each in found if "fill" not in each), filled


def limit_of(figure: Figure) -> float:
    (path,) = re.findall(r'd="M([\d.]+) 14L', figure.drawing)
    return float(path)


def test_each_seed_has_a_dot_on_its_side_of_the_limit() -> None:
    figure = strip(under(FLIPPING))
    rings, judged = dots(figure)
    assert len(rings) == 4
    assert judged < limit_of(figure) < min(rings)
    assert "the worst: 0.4" in figure.drawing
    assert ">at least 0.5<" in figure.drawing
    assert 'aria-label="0.4 … 0.9 over 5 seeds, flips 1 of 5, required at least 0.5"' in figure.drawing


def test_an_upper_limit_allows_what_is_below_it() -> None:
    figure = strip(under((1, 2, 5), criterion(limit=3, direction=Direction.AT_MOST)))
    rings, judged = dots(figure)
    assert max(rings) < limit_of(figure) < judged
    assert 'class="allowed"' in figure.drawing
    assert re.search(rf'd="M0 [\d.]+L{limit_of(figure):g} ', figure.drawing)


def test_the_median_is_marked_where_it_is_judged() -> None:
    figure = strip(under(WIDE, criterion(aggregate=Aggregate.MEDIAN)))
    rings, judged = dots(figure)
    assert sum(x < judged for x in rings) == sum(x > judged for x in rings) == 2
    assert "the median: 0.55" in figure.drawing
    assert "The filled dot is the median, under seed 44, which is judged." in figure.caption


def test_equal_values_are_above_one_another_and_all_are_in_the_drawing() -> None:
    figure = strip(under([1] * 40 + [2] * 5, criterion(limit=3, direction=Direction.AT_MOST)))
    places = circles(figure)
    assert len(places) == 45
    (height,) = map(float, re.findall(r'viewBox="0 0 420 ([\d.]+)"', figure.drawing))
    assert all(0 < float(each["cx"]) < 420 and 0 < float(each["cy"]) < height - 30 for each in places)
    assert len({(each["cx"], each["cy"]) for each in places}) == 6 + 5


def test_the_numbers_and_what_has_none_are_beside_it() -> None:
    held = criterion()
    seen = {42: Outcome(id=held.id, observed=Observed(0.6)), 43: Outcome(id=held.id, observed=Observed(0.7))}
    failed = Outcome(id=held.id, failure=Verdict.CRASH, reason="SIGSEGV")
    figure = strip(judge(held, Outcome(id=held.id, by_seed={**seen, 44: failed}), today=TODAY))
    assert figure.table is not None
    assert figure.table.rows == (("42", "0.6", "met"), ("43", "0.7", "met"), ("44", "—", "crash"))
    assert "No value under seed 44." in figure.caption
    assert "filled" not in figure.caption
    assert 'fill="currentColor" stroke="none"/>' not in figure.drawing


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ((True, False, True), {"limit": True, "direction": Direction.EQUAL}),
        ((12, 12, 11), {"limit": 12, "direction": Direction.EQUAL}),
        ((0.6, 0.6, 0.6), {}),
        ((1e308, -1e308, 1e305), {}),
    ],
)
def test_values_without_a_direction_or_a_distance_have_none(values: tuple[Any, ...], changes: dict[str, Any]) -> None:
    assert strip_of(under(values, criterion(**changes))) is None


def test_a_name_of_a_limit_is_text() -> None:
    assert "<b>" not in strip(under(WIDE, criterion(unit="<b>"))).drawing


def test_it_is_on_the_page_in_the_open_and_folded() -> None:
    page = render_page([report(under(FLIPPING), under(STEADY, criterion("steady")))])
    assert re.findall(r"<h(\d)>Under 5 seeds</h", page) == ["4", "3"]
    assert re.findall(r'<figure id="(figure\.[\w.]+)">', page) == ["figure.loss_drop.seeds", "figure.steady.seeds"]


def test_it_is_a_picture_of_its_own_with_rings_that_are_empty() -> None:
    (plot,) = plots_of(report(under(FLIPPING)))
    assert plot.name == "loss_drop.seeds"
    image = Image.open(io.BytesIO(plot.image)).convert("L")
    rings, judged = dots(strip(under(FLIPPING)))
    shades = [image.getpixel((round((x + 12) * 3), round((30 + 12 + 30.5) * 3))) for x in (judged, rings[0])]
    filled, empty = shades
    assert isinstance(filled, int)
    assert isinstance(empty, int)
    assert filled < 60
    assert empty > 180
