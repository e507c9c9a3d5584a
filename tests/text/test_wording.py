"""The words: numbers that can be read and compared, sentences, details, characters that do no harm."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.characters import one_line, visible
from retspec.records import Direction, Observed, Verdict
from retspec.text.wording import (
    detail_lines,
    duration,
    exact,
    margin,
    outcome,
    readable,
    required,
    signal_name,
    summary,
    troubles,
)
from tests.report.formats.sample import criterion, judged, report, sample

MOST, LEAST, EQUAL = Direction.AT_MOST, Direction.AT_LEAST, Direction.EQUAL
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("fields", "value", "sentence"),
    [
        ({}, 0.31, "loss_drop = 0.31, required at least 0.5 (short by 0.19)"),
        ({}, 0.98, "loss_drop = 0.98, required at least 0.5 (margin 0.48)"),
        ({}, 0.5, "loss_drop = 0.5, required at least 0.5 (margin 0)"),
        ({"direction": MOST}, 0.75, "loss_drop = 0.75, required at most 0.5 (over by 0.25)"),
        (
            {"name": "lora_layers", "limit": 48, "direction": EQUAL},
            49,
            "lora_layers = 49, required exactly 48",
        ),
        (
            {"name": "memory", "limit": 8000, "direction": MOST, "unit": "MB"},
            6123.456,
            "memory = 6,123 MB, required at most 8,000 MB (margin 1,877 MB)",
        ),
        (
            {"name": "memory", "limit": 8000, "direction": MOST, "unit": "MB", "warn": 6000},
            6100,
            (
                "memory = 6,100 MB, required at most 8,000 MB (margin 1,900 MB); "
                "wanted at most 6,000 MB (over by 100 MB)"
            ),
        ),
        (
            {"name": "trainable_dtype", "limit": "float32", "direction": EQUAL},
            "float16",
            "trainable_dtype = 'float16', required exactly 'float32'",
        ),
        ({"name": "head", "limit": True, "direction": EQUAL}, False, "head = false, required exactly true"),
        (
            {"name": "early", "check": "loss_drop"},
            0.31,
            "loss_drop = 0.31, required at least 0.5 (short by 0.19)",
        ),
        ({}, 0.49999999, "loss_drop = 0.49999999, required at least 0.5 (short by 1e-08)"),
    ],
)
def test_a_verdict_is_a_sentence_in_words(fields: dict[str, Any], value: Any, sentence: str) -> None:
    assert judged(criterion(**fields), value).reason == sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (791_557, "791,557"),
        (0, "0"),
        (0.0, "0"),
        (8000.0, "8,000"),
        (0.123456, "0.1235"),
        (61234.5, "61,234"),
        (999.96, "1,000"),
        (1.3e-6, "1.3e-06"),
        (0.0001, "0.0001"),
        (-2.34567, "-2.346"),
        (1e300, "1e+300"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (True, "true"),
        ("a\nb", r"'a\nb'"),
        ((4, 197), "(4, 197)"),
        (None, "None"),
    ],
)
def test_values_are_short(value: Any, text: str) -> None:
    assert readable(value) == text


@pytest.mark.parametrize(("limit", "text"), [(1e-5, "1e-05"), (0.123456789, "0.123456789"), (10**6, "1,000,000")])
def test_limits_are_written_in_full(limit: float, text: str) -> None:
    assert exact(limit) == text


@given(value=FINITE, other=st.one_of(FINITE, st.integers()))
def test_a_rounded_value_never_lies_on_the_wrong_side_of_the_limit(value: float, other: float) -> None:
    shown = float(readable(value, beside=other).replace(",", ""))
    assert (shown > other, shown < other) == (value > other, value < other)


@given(value=st.floats(min_value=-1e308, max_value=1e308))
def test_a_rounded_value_is_right_to_four_digits(value: float) -> None:
    assert float(readable(value).replace(",", "")) == pytest.approx(value, rel=6e-4, abs=0)


@pytest.mark.parametrize(
    ("direction", "limit", "value", "expected"),
    [
        (MOST, 8, 5, 3),
        (MOST, 8, 9, -1),
        (LEAST, 0.5, 0.75, 0.25),
        (LEAST, 2**60, 2**60 + 1, 1),
        (EQUAL, 48, 49, None),
        (MOST, 8, True, None),
        (MOST, 8, None, None),
        (MOST, 8, math.nan, None),
        (MOST, 1e308, -1e308, None),
        (MOST, 0.5, 10**400, None),
    ],
)
def test_the_margin_is_positive_inside_the_limit(
    direction: Direction, limit: float, value: Any, expected: float | None
) -> None:
    assert margin(criterion("x", limit, direction=direction), value) == expected


def test_a_limit_in_words_carries_its_unit() -> None:
    assert required(criterion("x", 40, direction=MOST, unit="ms")) == "at most 40 ms"
    assert required(criterion("x", 1, direction=EQUAL)) == "exactly 1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("bare \x1b escape", r"bare \x1b escape"),
        ("\x1b\x1b[0m[2J", r"\x1b[2J"),
        ("nul\0, del\x7f, csi\x9b", r"nul\x00, del\x7f, csi\x9b"),
        ("\ud800 \udfff \ufffe \uffff", r"\ud800 \udfff \ufffe \uffff"),
        ("\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;cm0=\x07copied", "copied"),
        ("\x1b]52;c;cm0=", r"\x1b]52;c;cm0="),
        ("\x1bP1$r\x1b\\asked, \x1b_G\x1b\\drawn", "asked, drawn"),
        ("a\u202eb\u2066c\u2069d\u200fe\u200ef\u061cg\u202a", "abcdefg"),
        ("joined\u200dup, a\u00a0gap", "joined\u200dup, a\u00a0gap"),
        ("10%\r50%\r\ndone", "10%\n50%\ndone"),
        ("größer, 網膜, 👁", "größer, 網膜, 👁"),
    ],
)
def test_harmful_characters_become_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_one_line_is_one_line() -> None:
    assert one_line(" a\n\tb\u2028c\x0b") == r"a b c\x0b"


def test_long_lists_are_cut_after_ten_entries() -> None:
    assert [*detail_lines({"losses": [*range(1000, 2000)]})] == [
        "losses: 1,000, 1,001, 1,002, 1,003, 1,004, 1,005, 1,006, 1,007, 1,008, 1,009, and 990 more"
    ]


def test_details_that_do_not_fit_a_line_go_over_several() -> None:
    names = [f"base_model.model.blocks.{block}.attn.qkv.lora_A.default.weight" for block in range(12)]
    lines = [*detail_lines({"dead": names})]
    assert lines == ["dead:", *(f"  {name}" for name in names[:10]), "  and 2 more"]


def test_details_show_every_kind_of_plain_data() -> None:
    details = {
        "map": {"a": 1.5, "b": [1, {"c": None}]},
        "empty": [],
        "flag": True,
        "text": "x\ny",
        "deep": [[[[[1]]]]],
    }
    assert [*detail_lines(details)] == [
        "map: a 1.5, b (1, (c None))",
        "empty: none",
        "flag: true",
        "text: x y",
        "deep: (((…)))",
    ]


def test_the_summary_counts_everything_once() -> None:
    assert summary(sample()) == "18 criteria: 4 met, 2 missed, 2 warned, 1 waived, 1 skipped, 8 no verdict in 83.1 s"
    assert summary(report(judged(criterion(), 0.9))) == "1 criterion: 1 met in 83.1 s"
    assert summary(report()) == "0 criteria: none in 83.1 s"
    assert summary(report(judged(criterion(), 0.9), unselected=1200)) == (
        "1 criterion: 1 met, and 1,200 not selected in 83.1 s"
    )
    assert summary(report(judged(criterion(), 0.9), unselected=2, unselected_cells=1)) == (
        "1 criterion: 1 met, and 2 not selected, and 1 cell of the matrix not selected in 83.1 s"
    )


def test_the_outcome_is_the_exit_code_in_words() -> None:
    met, missed = judged(criterion(), 0.9), judged(criterion(), 0.1)
    unknown = judged(criterion(), math.nan)
    warned = judged(criterion(warn=0.95), 0.9)
    assert [
        outcome(each)[0]
        for each in (
            report(met),
            report(met, missed, unknown),
            report(met, unknown),
            report(),
            report(met, interrupted=15),
            report(warned),
            report(warned, strict=True),
        )
    ] == ["met", "missed", "no verdict", "nothing judged", "interrupted", "met", "missed"]
    assert {outcome(report(met))[1], outcome(report(missed))[1]} == {Verdict.MET, Verdict.MISSED}


def test_a_signal_is_a_trouble_with_a_name() -> None:
    assert troubles(report(faults=("a",), interrupted=15)) == ["a", "the run was interrupted by SIGTERM"]
    assert signal_name(250) == "signal 250"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.00 s"), (0.314, "0.31 s"), (83.14, "83.1 s"), (4000, "4,000.0 s")]
)
def test_durations_carry_their_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_stranger_s_value_is_shown_without_its_control_characters() -> None:
    assert exact(Observed("\x1b[0m", {"k": [1]})).startswith("Observed(")
