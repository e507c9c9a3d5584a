"""The plots of a report as PNG, for slides: the drawings of the page, by matplotlib, which the extra `plots` brings.

https://matplotlib.org/stable/users/explain/figure/backends.html: its Agg canvas needs no display.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from retspec.errors import UsageError
from retspec.report.page.contents import Contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Report
    from retspec.report.page.criteria import Placed

SCALE = 2.0
"""Inches per 100 units of a drawing: twice the size on the page, so that words can be read from afar."""
_DPI = 150
_TITLE = 30.0
"""Units above a drawing."""
_MARGIN = 12.0
_INK, _QUIET = "#1b1f24", "#59626e"
_COLOURS = {
    "s0": "#2462b8",
    "s1": "#b3541e",
    "s2": "#6b7684",
    "s3": "#2b7f6f",
    "s4": "#8a3d8f",
    "s5": "#7a6a00",
    "bar": "#2462b8",
    "cell": "#2462b8",
    "hole": "#b9202b",
    "value": _INK,
}
"""By the class of a mark, those of the page's light scheme."""
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}
_STEP = re.compile(r"([MLh])(-?[\d.]+)(?: (-?[\d.]+))?")
_UNSAFE = re.compile(r"[^\w.=-]+")


@dataclass(frozen=True)
class Plot:
    """One plot of a report."""

    name: str
    """Unique in the report; a name for a file."""
    image: bytes


def plots_of(report: Report) -> Iterator[Plot]:
    """Yield every plot of a report, those of a measurement together.

    Raises UsageError where matplotlib is missing.
    """
    taken: set[str] = set()
    for part in Contents.of(report, most=len(report.parts)).parts:
        for placed in part.every_figure:
            stem = _UNSAFE.sub("-", placed.anchor.removeprefix("figure.")).strip("-.")[:150]
            name = next(name for name in _numbered(stem) if name.casefold() not in taken)
            taken.add(name.casefold())
            yield Plot(name, _drawn(placed))


def chosen(plots: list[Plot], name: str) -> Plot:
    """Return the plot of that name, or the only one; raises UsageError where it is not clear which one is meant."""
    for plot in plots:
        if name in {plot.name, plot.name.rpartition(".")[2]} or len(plots) == 1:
            return plot
    names = ", ".join(plot.name for plot in plots) or "none"
    raise UsageError(f"which of the plots is {name}.png? Name one, or a folder for all of them; there are {names}")


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in range(2, 10_000))


def _drawn(placed: Placed) -> bytes:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra, and slow to import
        from matplotlib.figure import Figure  # noqa: PLC0415 - the same
    except ImportError:
        raise UsageError("PNG needs matplotlib: install retspec[plots]") from None
    drawing = ET.fromstring(placed.figure.drawing)  # noqa: S314 - of this package
    _, _, width, height = (float(number) for number in drawing.attrib["viewBox"].split())
    size = ((width + 2 * _MARGIN) * SCALE / 100, (height + _TITLE + 2 * _MARGIN) * SCALE / 100)
    figure = Figure(figsize=size, dpi=_DPI)
    canvas = FigureCanvasAgg(figure)  # type: ignore[no-untyped-call, unused-ignore]
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-_MARGIN, width + _MARGIN)
    axes.set_ylim(height + _MARGIN, -_TITLE - _MARGIN)
    axes.set_axis_off()
    axes.text(0, -_TITLE + 14, placed.figure.title, color=_INK, fontsize=_points(13), weight="bold", parse_math=False)
    for element in drawing.iter():
        _mark(axes, element)
    written = io.BytesIO()
    # Without its version in it, the same results give the same file for as long as matplotlib draws them alike.
    canvas.print_png(written, metadata={"Software": None})
    return written.getvalue()


def _mark(axes: Any, element: ET.Element) -> None:
    kinds = element.get("class", "").split()
    if element.tag == "text":
        axes.text(
            float(element.get("x", 0)),
            float(element.get("y", 0)),
            element.text or "",
            color=next((_COLOURS[kind] for kind in kinds if kind in _COLOURS), _QUIET),
            fontsize=_points(11),
            ha=_ANCHORS[element.get("text-anchor", "start")],
            va="baseline",
            parse_math=False,  # a name may hold a dollar sign
        )
    elif element.tag == "path":
        _path(axes, element, next((_COLOURS[kind] for kind in kinds if kind in _COLOURS), _INK))
    elif element.tag == "circle":
        colour = next((_COLOURS[kind] for kind in kinds if kind in _COLOURS), _INK)
        place = float(element.get("cx", 0)), float(element.get("cy", 0))
        ring = 0 if "fill" in element.attrib else _points(float(element.get("stroke-width", 1)))
        _dot(axes, place, 2 * _points(float(element.get("r", 1))), colour, ring)


def _path(axes: Any, element: ET.Element, colour: str) -> None:
    width = _points(float(element.get("stroke-width", 1)))
    for points in _lines(element.get("d", "")):
        if len({*points}) == 1:  # matplotlib draws no line without a length
            _dot(axes, points[0], width, colour)
            continue
        axes.plot(
            *zip(*points, strict=True),
            color=colour,
            alpha=float(element.get("stroke-opacity", 1)),
            linewidth=width,
            linestyle=_dashes(element.get("stroke-dasharray"), width),
            solid_capstyle=element.get("stroke-linecap", "butt"),
            clip_on=False,
        )


def _dot(axes: Any, place: tuple[float, float], size: float, colour: str, ring: float = 0) -> None:
    """Draw a dot; ring: how wide the line of an empty one is."""
    x, y = place
    filling = "none" if ring else colour
    axes.plot(
        [x], [y], "o", color=colour, markersize=size, markeredgewidth=ring, markerfacecolor=filling, clip_on=False
    )


def _lines(steps: str) -> Iterator[list[tuple[float, float]]]:
    """Yield the lines of a path; the marks know `M x y`, `L x y` and `h dx` alone."""
    points: list[tuple[float, float]] = []
    for kind, first, second in _STEP.findall(steps):
        if kind == "M" and points:
            yield points
            points = []
        points.append((points[-1][0] + float(first), points[-1][1]) if kind == "h" else (float(first), float(second)))
    if points:
        yield points


def _dashes(pattern: str | None, width: float) -> Any:
    """Return what matplotlib, which counts dashes in widths of the line, takes for those of an SVG, in units."""
    if pattern is None:
        return "-"
    return (0, [_points(float(length)) / width for length in pattern.split()])


def _points(size: float) -> float:
    """Return a length in units of a drawing in points."""
    return size * SCALE * 72 / 100
