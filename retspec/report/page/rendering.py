"""Render the page: a template over the contents, a style sheet, an optional script, and the results as JSON."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from json import dumps
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from retspec.characters import revealed
from retspec.records import Report
from retspec.report.formats.results import plain_document
from retspec.report.page.contents import Contents
from retspec.report.page.criteria import link_to, value_of
from retspec.report.page.history import History, in_order
from retspec.report.page.origin import facts_of, origins
from retspec.results.results_file import RESULTS_ID
from retspec.text.printed import printed_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEMPLATES = "templates"


def render_page(reports: Sequence[Report]) -> str:
    """Return the page of one run; of several, the latest compared with those before.

    The order of reports that started at the same time is: the latest first.
    """
    return _rendered("page.html", reports)


def render_fragment(report: Report) -> str:
    """Return the same sections without the frame, for a notebook."""
    return _rendered("fragment.html", [report])


def _rendered(template: str, reports: Sequence[Report]) -> str:
    texts = [*map(_json, in_order(reports))]
    history = History(tuple(msgspec.json.decode(text, type=Report) for text in texts))
    contents = Contents.of(history.report, history.before)
    style, script = _asset("page.css"), _asset("page.js")
    return (
        _environment()
        .get_template(template)
        .render(
            contents=contents,
            history=history,
            facts=facts_of(contents.report),
            origins=origins(part.report for part in contents.parts),
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - the same
            style_hash=_hash(style),
            script_hash=_hash(script),
            results_id=RESULTS_ID,
            results=_safe(texts[-1]),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("retspec.report.page", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters |= {"link": link_to, "value": value_of, "code": _with_code, "breakable": _breakable}
    environment.globals |= {"printed_lines": printed_lines}
    return environment


def _shown(value: Any) -> Any:
    """Return what the template writes: untrusted text without control characters; Jinja escapes it afterwards."""
    return revealed(value) if type(value) is str else value


def _with_code(text: str) -> Markup:
    """Return a text in which what is between backticks is shown as code."""
    parts = revealed(text).split("`")
    if len(parts) % 2 == 0:  # one backtick is alone
        return escape(revealed(text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def _breakable(text: str) -> Markup:
    """Return a name that breaks after an underscore or a slash, where it must, and not within a word."""
    return Markup("<wbr>").join(re.findall(r"[^_/]*[_/]+|[^_/]+", revealed(text)))


def _asset(name: str) -> str:
    return files("retspec.report.page").joinpath(_TEMPLATES, name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what a content security policy knows an inline element by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(report: Report) -> str:
    """Return the results as in a file, from which the page is made: it is the same before and after they are stored."""
    return dumps(plain_document(report), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _safe(json: str) -> Markup:
    """Return JSON that no HTML parser takes for markup.

    See https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    for character in "<>&":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return Markup(json)  # noqa: S704 - the three characters that HTML knows are spelled out
