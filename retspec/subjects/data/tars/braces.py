"""Patterns of shards, as a shell and webdataset expand them: `train-{000000..000146}.tar`, `{a,b}.tar`."""

from __future__ import annotations

import re
from itertools import product

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?")
MOST = 100_000
"""Names that a pattern may stand for."""


class TooManyNamesError(ValueError):
    """A pattern stands for more than `MOST` names."""


def expanded(pattern: str) -> list[str]:
    """Return the names that a pattern stands for, in its order; one without braces is its only name.

    Braces in braces are not expanded. Raises TooManyNamesError.

    https://www.gnu.org/software/bash/manual/html_node/Brace-Expansion.html
    """
    parts = _BRACES.split(pattern)  # text, inside of braces, text, ...
    choices = [[part] if at % 2 == 0 else _choices(part) for at, part in enumerate(parts)]
    total = 1
    for each in choices:
        total *= len(each)
    if total > MOST:
        raise TooManyNamesError(pattern)
    return ["".join(chosen) for chosen in product(*choices)]


def _choices(inside: str) -> list[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        return inside.split(",") if "," in inside else [f"{{{inside}}}"]
    first, last, step = int(found[1]), int(found[2]), max(int(found[3] or 1), 1)
    if abs(last - first) // step >= MOST:
        raise TooManyNamesError(inside)
    is_padded = any(re.fullmatch(r"-?0\d+", end) for end in found.groups()[:2])
    width = max(len(found[1]), len(found[2])) if is_padded else 0
    numbers = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    return [f"{number:0{width}d}" for number in numbers]
