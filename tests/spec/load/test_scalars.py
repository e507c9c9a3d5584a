from __future__ import annotations

import pytest

from retspec.spec.load.scalars import scalar_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-2.5e+3", -2500.0),
        ("1_000_000", 1_000_000),
        ("-1_0", -10),
        ("+7", 7),
        ("017", 17),
        ("0o17", 15),
        ("0xFf", 255),
        ("18446744073709551615", 2**64 - 1),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("", None),
        ("~", None),
        ("Null", None),
    ],
)
def test_a_scalar_of_the_core_schema_has_its_type(text: str, value: object) -> None:
    assert repr(scalar_of(text)) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "no", "y", "n", "1:30", "2020-01-01", "tRUE", "nULL", "nan", "inf", "=", "90s"),
        *("1__0", "_1", "1_", "1_000.5", "0b1", "0o8", "0xg", "1e", ".", "+", "1.2.3", "\u0661"),
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert scalar_of(text) == text


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.Inf", "+.INF", "1e999", "-1e999"])
def test_what_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        scalar_of(text)


@pytest.mark.parametrize("text", ["18446744073709551616", "-9223372036854775809", "9" * 5000, f"0x{'f' * 40}"])
def test_an_integer_beyond_64_bits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        scalar_of(text)
