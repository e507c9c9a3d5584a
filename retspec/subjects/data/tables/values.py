"""What the text in a cell means."""

from __future__ import annotations

_WORDS = {"true": "1", "false": "0"}
"""How pandas, polars and JSON write what is yes or no."""

_MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
)
"""Texts that pandas reads as missing: https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html"""


def is_missing(text: str) -> bool:
    """Whether a text is what tables hold in place of a value."""
    return text in _MISSING


def integer(text: str) -> int | None:
    """Return the integer that a text means, or None; a spreadsheet may write 2 as 2.0."""
    if text.isdecimal():
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def yes_or_no(text: str) -> int | None:
    """Return 1 or 0 for a cell of one class among several, or None for anything else."""
    number = integer(_WORDS.get(text.casefold(), text))
    return number if number in {0, 1} else None


def spelling(text: str) -> str:
    """Return a text as one spelling for all that mean the same value: `1` for 1, 1.0 and 01; case does not count."""
    number = integer(text)
    return text.strip().casefold() if number is None else str(number)
