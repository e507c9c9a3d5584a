"""A run of a part of a spec, or with overrides, is seen as such on the page and in the Markdown."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from retspec.records import Asked, Report
from retspec.report.formats.markdown import LARGEST, markdown, render_markdown
from retspec.report.page import render_page
from tests.report.formats.sample import report, sample

EVERYTHING = Asked(
    select=("params", "lora *"),
    tags=("gpu",),
    skip=("slow",),
    cells=("r=8",),
    last_failed=True,
    overrides=("model.lora.r=16", "run.device=cpu", "run.seed=3", "vars.token=***"),
)
OPTIONS = (
    "-k params -k 'lora *' --tag gpu --skip slow --cell r=8 --last-failed --set model.lora.r=16 --device cpu --seed 3 "
    "--set 'vars.token=***'"
)


def _line(of: Report) -> str:
    """Return the line on the page, and require that the Markdown has the same."""
    page = render_page([of])
    head, found, rest = page.partition('<p class="asked">')
    line = unescape(rest.partition("</p>")[0]) if found else ""
    assert "</h1>" in head
    lines = markdown(of).replace("\\", "").splitlines()
    assert lines[4:6] == [line, ""] if line else lines[4].startswith("| criterion")
    return line


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, ""),
        ({"asked": EVERYTHING, "unselected": 3}, f"A part of the spec, run with {OPTIONS}"),
        ({"asked": Asked(overrides=("run.device=cpu",))}, "Run with --device cpu"),
        ({"asked": Asked(select=("*",))}, "Run with -k '*'"),
        ({"unselected": 3}, "A part of the spec"),
        ({"unselected_cells": 1, "asked": Asked(cells=("r=8",))}, "A part of the spec, run with --cell r=8"),
    ],
    ids=["the whole", "every option", "an override", "a selection of all", "merged", "a cell"],
)
def test_the_options_of_a_run_are_on_the_page_and_in_the_markdown(changes: dict[str, object], line: str) -> None:
    assert _line(replace(sample(), **changes)) == line


def test_of_a_matrix_they_are_those_of_the_run() -> None:
    cells = tuple(replace(sample(), cell=f"r={r}", unselected=2) for r in (4, 8))
    assert _line(report(cells=cells, asked=Asked(select=("loss",)))) == "A part of the spec, run with -k loss"


def test_what_is_hostile_in_them_is_shown_and_does_nothing() -> None:
    of = replace(sample(), asked=Asked(select=("<script>alert(1)</script>\n# a | b `c`",)))
    page = render_page([of])
    visible = page.partition('<script type="application/json"')[0]
    assert "<script>alert" not in visible
    assert "&lt;script&gt;alert(1)" in visible
    (line,) = [line for line in markdown(of).splitlines() if "alert" in line]
    assert "\\<script\\>alert(1)\\</script\\> \\# a \\| b \\`c\\`" in line


def test_very_many_are_cut_off_and_the_markdown_keeps_its_bound() -> None:
    of = replace(sample(), asked=Asked(cells=tuple(f"seed={number}" for number in range(10_000))))
    assert len(_line(of)) < 10_100
    assert len(render_markdown(of, 20_000).encode()) <= 20_000 < LARGEST
