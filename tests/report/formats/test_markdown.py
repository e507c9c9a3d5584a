"""Markdown: a table that nobody's text can break, and a size that GitHub takes."""

from __future__ import annotations

import pytest

from retspec.records import Verdict
from retspec.report.formats.markdown import LARGEST, render_markdown
from retspec.report.formats.markdown import markdown as render
from retspec.text.markdown import escaped, markdown_table
from tests.report.formats.sample import criterion, failed, judged, report, sample

ROWS = 6
"""Columns of the table."""


def _cells(line: str) -> int:
    """Count cells as a reader of Markdown does: an escaped bar separates nothing."""
    return line.replace(r"\\", "").replace(r"\|", "").count("|") - 1


def test_every_criterion_has_one_row_with_its_value_and_its_limit() -> None:
    lines = render(sample()).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == len(sample().results) + 2
    assert {_cells(row) for row in rows} == {ROWS}
    assert "| loss_drop | 0.31 | at least 0.5 | -0.19 | missed | 0.25 s |" in rows


def test_what_needs_a_look_has_its_reason_its_place_and_its_advice() -> None:
    text = render(sample())
    assert "- **loss_drop** (specs/lora_preflight.yaml:22) missed: loss_drop = 0.31, required at least 0.5" in text
    assert "  - → Raise the learning rate, or train for more steps." in text
    assert "- **input_matters**, **head_trainable** " in text, "one cause is told once"
    assert "**merge_atol**" not in text, "what is met needs no look"
    assert "plugin 'retspec-broken' failed" in text


HOSTILE = "a|b\n\n# head\r<img src=x> `code` **bold** _it_ [link](x) \\| $x$ ~~no~~ &amp; \x1b[31mred max_loss"


def test_hostile_text_stays_text_and_on_its_line() -> None:
    broken = failed(criterion("x"), Verdict.ERROR, HOSTILE)
    lines = render(report(broken, judged(criterion("y", check="a|b"), 0.1, {"k|": HOSTILE}))).splitlines()
    assert {_cells(line) for line in lines if line.startswith("|")} == {ROWS}
    (line,) = [line for line in lines if line.startswith("- **x**")]
    assert r"\<img src=x\> \`code\` \*\*bold\*\* \_it\_ \[link\](x)" in line
    assert r"\\\| \$x\$ \~\~no\~\~ \&amp; red max_loss" in line
    assert not [line for line in lines if line.startswith("# ")]


@pytest.mark.parametrize("text", ["|", "\\|", "\\\\|", "|\\", "a\n|b", "`|`"])
def test_no_text_ends_a_cell(text: str) -> None:
    assert _cells(markdown_table(["one"], [[text]])[2]) == 1


def test_an_underscore_inside_a_word_needs_no_escape() -> None:
    assert escaped("max_trainable_params") == "max_trainable_params"


def test_a_summary_of_thousands_of_failures_fits_and_counts_what_it_leaves_out() -> None:
    many = [failed(criterion(f"c{n}"), Verdict.ERROR, f"{n} " + "ж" * 400) for n in range(4_000)]
    text = render(report(*many))
    assert len(text.encode()) <= LARGEST
    assert text.count("more lines are left out here; results.json holds everything.") == 1
    assert "| c3999 |" in text


@pytest.mark.parametrize("largest", [5_000, 800, 400])
def test_a_small_room_is_kept_too(largest: int) -> None:
    many = [failed(criterion(f"c{n}"), Verdict.ERROR, f"reason {n}") for n in range(200)]
    text = render_markdown(report(*many), largest)
    assert len(text.encode()) <= largest
    assert text.startswith("### lora_preflight: no verdict\n")
    assert "more lines are left out" in text
