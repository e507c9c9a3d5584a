"""The texts in JUnit XML: why a testcase is not green, and its `system-out`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retspec.characters import defused, one_line, visible
from retspec.records import Verdict
from retspec.text.printed import printed_lines
from retspec.text.seeds import noise_note
from retspec.text.wording import detail_lines, margin, observation, required, waived

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from retspec.records import Result, Seeds, Spread

_LONGEST_MESSAGE = 480
"""Characters of a message; readers cut or refuse from 500 on."""


def explanation(result: Result) -> Iterator[str]:
    """Yield why a testcase is not green, the most important line first."""
    if result.verdict is Verdict.WAIVED and result.criterion.waive:
        yield waived(result.criterion.waive)
    yield result.reason
    if result.observed:
        yield from detail_lines(result.observed.details)
    if result.verdict in {Verdict.MISSED, Verdict.WARNED, Verdict.WAIVED}:
        yield f"Advice: {one_line(result.criterion.advice)}"
    if result.trace:
        yield result.trace


def output_lines(result: Result, known: Mapping[str, Spread]) -> Iterator[str]:
    """Yield the lines of `system-out`: value and limit as a sentence and for programs, details, what was printed.

    known: what is known of the noise of each criterion.
    """
    prefix = "WARN " if result.verdict is Verdict.WARNED else ""
    yield prefix + shortened(defused(one_line(result.reason) if _is_judged(result) else _comparison(result)))
    for name, value in _measured_facts(result).items():
        yield f"[[PROPERTY|retspec.{name}={machine_readable(value)}]]"
    if not _is_judged(result):
        yield shortened(defused(one_line(result.reason)))
    if note := noise_note(result, known):
        yield shortened(defused(note))
    if result.observed:
        yield from map(defused, detail_lines(result.observed.details))
    if result.verdict is Verdict.MISSED or not result.verdict.is_decided:
        for output in result.output:
            yield from map(defused, printed_lines(output, most=None))


def _is_judged(result: Result) -> bool:
    """Whether the reason is the sentence that compares the observed value with the limit."""
    return result.observed is not None and result.verdict.is_decided


def _comparison(result: Result) -> str:
    criterion, observed = result.criterion, result.observed
    seen = observation(criterion, observed) if observed else f"{criterion.check} was not observed"
    return one_line(f"{seen}, required {required(criterion)}")


def _measured_facts(result: Result) -> dict[str, object]:
    facts: dict[str, object] = {"verdict": result.verdict.value, "limit": result.criterion.limit}
    facts |= _seed_facts(result.seeds) if result.seeds else {}
    if not result.observed:
        return facts
    observed, interval = result.observed, result.observed.interval
    if interval:
        facts |= {"lower": interval.lower, "upper": interval.upper, "level": interval.level}
    room = margin(result.criterion, result.criterion.judged(observed))
    return {"value": observed.value, **facts} | ({} if room is None else {"margin": room})


def _seed_facts(seeds: Seeds) -> dict[str, object]:
    """Return how many seeds there are, how much they differ, and the value under each."""
    spread = {"spread": seeds.spread, "deviation": seeds.deviation}
    values = {f"seed.{each.seed}": each.observed.value for each in seeds.each if each.observed is not None}
    return {
        "seeds": len(seeds.each),
        "flip_rate": seeds.flip_rate,
        **{name: value for name, value in spread.items() if value is not None},
        **values,
    }


def machine_readable(value: object) -> str:
    """Return a value for programs: all digits, no separators, nothing that ends or opens a `[[PROPERTY|…]]`."""
    if isinstance(value, bool):
        return str(value).lower()
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return re.sub(r"\](?=\]|$)", "] ", shortened(defused(one_line(text))))


def shortened(text: str) -> str:
    """Return a text that is short enough for a message."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


def capped(lines: Iterable[str], largest: int) -> str:
    """Return the lines as one text that XML can hold, without the middle if it has more than `largest` bytes."""
    text = visible("\n".join(lines))
    encoded = text.encode()
    if len(encoded) <= largest:
        return text
    half = largest // 2 - 50
    head, tail = (part.decode(errors="ignore") for part in (encoded[:half], encoded[-half:]))
    return f"{head}\n[{len(encoded) - 2 * half:,} bytes left out]\n{tail}"
