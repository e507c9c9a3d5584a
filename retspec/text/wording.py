"""The wording of verdicts: numbers, bounds, margins, details; shared by the judge and the reporters.

Bounds are written in words ("at least 0.5"), because some readers of JUnit XML show signs as `&lt;=`. Nothing
here decides anything.
"""

from __future__ import annotations

import math
import reprlib
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeGuard

from retspec.characters import one_line
from retspec.records import (
    EXIT_MET,
    EXIT_MISSED,
    EXIT_NO_VERDICT,
    EXIT_NOTHING,
    Criterion,
    Direction,
    Judged,
    Observed,
    Report,
    Value,
    Verdict,
    Waiver,
)

# Values -----------------------------------------------------------------------------------------------------

_DIGITS = range(4, 18)
"""Significant digits to try; 17 distinguish any two floats."""
_SMALLEST, _LARGEST = 1e-4, 1e15
"""Between these, floats are written without an exponent."""


def exact(value: object) -> str:
    """Return a value in full, as a person would write it: `1,000,000`, `0.5`, `true`, `'float32'`."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,}".removesuffix(".0")
        case Judged():
            return value.value
        case str() | tuple():
            return repr(value)
    return one_line(reprlib.repr(value))


def readable(value: object, *, beside: object = None) -> str:
    """Return a float with four significant digits, and any other value as `exact` does.

    beside: a number that the reader will compare it with; digits are added until they show which is larger.
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return exact(value)
    texts = (_rounded(value, digits) for digits in _DIGITS)
    if isinstance(beside, int | float):
        texts = (text for text in texts if _order(float(text.replace(",", "")), beside) == _order(value, beside))
    return next(texts, exact(value))


def _rounded(value: float, digits: int) -> str:
    if value and not _SMALLEST <= abs(value) < _LARGEST:
        return f"{value:.{digits}g}"
    exponent = math.floor(math.log10(abs(value))) if value else 0
    text = f"{value:,.{max(digits - 1 - exponent, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _order(left: float, right: float) -> int:
    return (left > right) - (left < right)


def duration(seconds: float) -> str:
    """Return seconds with their unit: `0.31 s`, `83.1 s`."""
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.1f} s"  # noqa: PLR2004 - two digits, then three


# Limits -----------------------------------------------------------------------------------------------------


def required(criterion: Criterion, bound: Value | None = None) -> str:
    """Return the limit of a criterion, or another bound of the same direction, in words: `at least 0.5`."""
    bound = criterion.limit if bound is None else bound
    if bound is None:
        return "no limit"
    words = "exactly" if criterion.direction is Direction.EQUAL else criterion.direction.value
    words = f"{judged_part(criterion)}{words}"
    is_derived = criterion.regression is not None and criterion.regression.value is not None
    return f"{words} {_joined(readable(bound) if is_derived else exact(bound), criterion.unit)}"


def judged_part(criterion: Criterion) -> str:
    """Return what of an observation is judged, with a blank after it: `lower bound `; empty where it is the value."""
    if criterion.judge is None:
        return ""
    side = "upper" if criterion.direction is Direction.AT_MOST else "lower"
    return "point estimate " if criterion.judge is Judged.POINT else f"{side} bound "


def ends(observed: Observed[Value]) -> str:
    """Return the ends of the interval of an observation, with a blank before it: ` (0.88 to 0.96)`; empty without."""
    interval = observed.interval
    return f" ({readable(interval.lower)} to {readable(interval.upper)})" if interval else ""


def margin(criterion: Criterion, value: object) -> float | None:
    """Return how far a value lies inside the limit, in the unit of the check; negative outside.

    None if there is nothing to subtract: an exact value, or a value that is not a finite number.
    """
    return _room(criterion.direction, criterion.limit, value)


def observation(criterion: Criterion, observed: Observed[Value]) -> str:
    """Return what was seen: `loss_drop = 0.31`, `min_auroc = 0.93 (0.88 to 0.96)`."""
    value = _joined(readable(observed.value, beside=criterion.limit), criterion.unit)
    return f"{criterion.check} = {value}{ends(observed)}"


def sentence(criterion: Criterion, observed: Observed[Value], *, met: bool) -> str:
    """Return value and limit: `loss_drop = 0.31, required at least 0.5 (short by 0.19)`."""
    required_words = _bound(criterion, criterion.limit, criterion.judged(observed), met=met)
    return f"{observation(criterion, observed)}, required {required_words}{_origin(criterion)}"


def _origin(criterion: Criterion) -> str:
    """Return the baseline that a limit comes from, in words, or an empty string."""
    regression = criterion.regression
    if regression is None or regression.value is None:
        return ""
    most = regression.most if isinstance(regression.most, str) else _joined(exact(regression.most), criterion.unit)
    return f"; {one_line(regression.vs)} has {readable(regression.value)}, and may be missed by {most}"


def wanted(criterion: Criterion, value: Value, warn: Value) -> str:
    """Return the bound that warns and how far it is crossed: `wanted at most 6,000 MB (over by 100 MB)`."""
    return f"wanted {_bound(criterion, warn, value, met=False)}"


def waived(waiver: Waiver) -> str:
    """Return why and until when a miss is accepted: `waived until 2026-12-31: the head is new (ada)`."""
    return f"waived until {waiver.until}: {one_line(waiver.reason)} ({one_line(waiver.owner)})"


def _bound(criterion: Criterion, bound: Value | None, value: Value, *, met: bool) -> str:
    words = required(criterion, bound)
    room = _room(criterion.direction, bound, value)
    if room is None:
        return words
    missed = "over by" if criterion.direction is Direction.AT_MOST else "short by"
    return f"{words} ({'margin' if met else missed} {_joined(readable(abs(room)), criterion.unit)})"


def _room(direction: Direction, bound: object, value: object) -> float | None:
    if direction is Direction.EQUAL or not (is_number(bound) and is_number(value)):
        return None
    try:
        room = bound - value if direction is Direction.AT_MOST else value - bound
    except OverflowError:  # an integer beyond the floats, compared with a float
        return None
    return None if isinstance(room, float) and not math.isfinite(room) else room


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is an int or a float, but not a bool, which is an int in Python."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _joined(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number


# Details ----------------------------------------------------------------------------------------------------

_MOST, _DEEPEST, _WIDEST, _LONGEST = 10, 4, 100, 10_000
"""Entries of a list, levels of nesting, characters of a line and of a text, before details are cut or broken."""


MOST_DETAILS = 1_000
"""Details of one observation that are shown; `results.json` holds all."""


def detail_lines(details: Mapping[str, Any]) -> Iterator[str]:
    """Yield `name: value` for the first 1,000 details; a long one takes several lines, ten entries at most."""
    for name, value in islice(details.items(), MOST_DETAILS):
        line = f"{one_line(bounded(str(name)))}: {_compact(value)}"
        if len(line) <= _WIDEST or not isinstance(value, Mapping | list | tuple):
            yield line
            continue
        yield f"{one_line(bounded(str(name)))}:"
        yield from (f"  {entry}" for entry in _entries(value, level=1))
    if len(details) > MOST_DETAILS:
        yield f"and {len(details) - MOST_DETAILS:,} more details"


def bounded(text: str) -> str:
    """Return a text that a person may still read whole, and of a longer one the beginning and its length."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def listing(words: Sequence[str], separator: str = ", ") -> str:
    """Return the first ten words, and the number of the others."""
    return separator.join(_first(words, len(words)))


def _compact(value: Any, level: int = 0) -> str:
    """Return a value on one line."""
    if isinstance(value, str):
        return one_line(bounded(value))
    if not isinstance(value, Mapping | list | tuple):
        return readable(value)
    if level >= _DEEPEST:
        return "…"
    text = ", ".join(_entries(value, level + 1)) or "none"
    return text if level == 0 else f"({text})"


def _entries(value: Mapping[Any, Any] | Sequence[Any], level: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        pairs = (f"{one_line(bounded(str(name)))} {_compact(entry, level)}" for name, entry in value.items())
        return _first(pairs, len(value))
    return _first((_compact(entry, level) for entry in value), len(value))


def _first(words: Iterable[str], total: int) -> Iterator[str]:
    yield from islice(words, _MOST)
    if total > _MOST:
        yield f"and {total - _MOST:,} more"


# The whole run ----------------------------------------------------------------------------------------------

_OUTCOMES = {
    EXIT_MET: Verdict.MET,
    EXIT_MISSED: Verdict.MISSED,
    EXIT_NO_VERDICT: Verdict.ERROR,
    EXIT_NOTHING: Verdict.SKIPPED,
}
_OUTCOME_WORDS = {
    Verdict.ERROR: "no verdict",
    Verdict.SKIPPED: "nothing judged",
    Verdict.NOT_RUN: "interrupted",
}


def outcome(report: Report) -> tuple[str, Verdict]:
    """Return the word for the exit code of a run, and the verdict that gives its colour."""
    verdict = _OUTCOMES.get(report.exit_code, Verdict.NOT_RUN)
    return _OUTCOME_WORDS.get(verdict, verdict.value), verdict


def summary(report: Report) -> str:
    """Return the counts of a run: `12 criteria: 10 met, 1 missed, 1 no verdict in 83.1 s`, and what is not selected."""
    total = len(report.every_result)
    decided = [verdict for verdict in Verdict if verdict.is_decided]
    counts = {verdict.value: report.count(verdict) for verdict in decided}
    counts["no verdict"] = len(report.undecided)
    parts = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count) or "none"
    if unselected := sum(part.unselected for part in report.parts):
        parts += f", and {unselected:,} not selected"
    if cells := report.unselected_cells:
        parts += f", and {cells:,} {'cell' if cells == 1 else 'cells'} of the matrix not selected"
    return f"{total:,} {'criterion' if total == 1 else 'criteria'}: {parts} in {duration(report.seconds)}"


def troubles(report: Report) -> list[str]:
    """Return what went wrong with the run itself, including a signal that ended it."""
    texts: list[str] = []
    for part in report.parts:
        ended = [f"the run was interrupted by {signal_name(part.interrupted)}"] if part.interrupted else []
        texts += [f"{part.cell}: {text}" if part.cell else text for text in (*part.faults, *ended)]
    return texts


def notes(report: Report) -> list[str]:
    """Return what a reader should know whatever was asked, those of a cell with its name."""
    shown = [f"{part.cell}: {note}" if len(report.parts) > 1 else note for part in report.parts for note in part.notes]
    return [*dict.fromkeys((*(report.notes if report.cells else ()), *shown))]


def signal_name(number: int) -> str:
    """Return the name of a signal, such as `SIGTERM`, or `signal 99` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
