"""SVG elements as safe text: every attribute and text is escaped, numbers are short, nothing is styled inline.

Colours are `currentColor` or classes of the page's style sheet, so that a mark is black on white without any style,
follows the dark scheme with it, and passes a policy that forbids inline styles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from retspec.characters import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

Attribute = str | float | None


def tag(name: str, *children: str, **attributes: Attribute) -> Markup:
    """Return an element; `_` in the name of an attribute is `-`, `class_` is `class`, None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(children)
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")  # noqa: S704 - escaped


def drawing(
    width: float,
    height: float,
    marks: Iterable[Markup],
    *,
    label: str,
    class_: str,
    fills: bool = False,
    **more: Attribute,
) -> Markup:
    """Return an SVG image with a label that says the same in words.

    fills: whether it is as wide as the page, with or without styles.
    """
    drawn = [*marks]
    texts = [mark for mark in drawn if mark.startswith("<text")]
    if texts:  # in one group, which is above the rest: what they have in common is written once
        group = tag("g", *texts, fill="currentColor", stroke="none", font_size=11, font_family="sans-serif")
        drawn = [*(mark for mark in drawn if not mark.startswith("<text")), group]
    return tag(
        "svg",
        *drawn,
        class_=class_,
        role="img",
        aria_label=visible(label),
        viewBox=f"0 0 {number(width)} {number(height)}",
        width="100%" if fills else width,
        height=height,
        fill="none",
        stroke="currentColor",
        **more,
    )


def words(text: str, x: float, y: float, anchor: str = "start", class_: str | None = None) -> Markup:
    """Return a text of a drawing; `anchor` is start, middle or end."""
    anchored = None if anchor == "start" else anchor
    return tag("text", visible(text), x=x, y=y, text_anchor=anchored, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str | None = None, **more: Attribute) -> Markup:
    """Return a straight line."""
    return tag("path", d=f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", class_=class_, **more)


def path(points: Iterable[tuple[float, float] | None], class_: str | None = None, **more: Attribute) -> Markup:
    """Return a line through points; None interrupts it, and a point alone becomes a dot."""
    pieces, piece = [], list[str]()
    for point in [*points, None]:
        if point is not None:
            piece.append(f"{number(point[0])} {number(point[1])}")
        elif piece:
            pieces.append("M" + ("L".join(piece) if len(piece) > 1 else f"{piece[0]}h0"))
            piece = []
    return tag("path", d="".join(pieces), class_=class_, stroke_linecap="round", stroke_linejoin="round", **more)


def number(value: float) -> str:
    """Return a coordinate with one decimal at most."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")  # the sum turns -0.0 into 0.0


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)
