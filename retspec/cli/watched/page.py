"""One page about a watched training, as wide as the terminal."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.cli.colour import paint
from retspec.cli.watched.facts import Seen, lines
from retspec.records import Verdict
from retspec.text.wording import detail_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts.loop import Loop
    from retspec.records import Result

_LABEL = 14
BAD = {Verdict.MISSED, Verdict.WARNED}


def page(seen: Seen, results: Sequence[Result], typed: str, width: int) -> Iterator[str]:
    """Yield the lines: what was seen, then what looks wrong, then what could not be judged."""
    loop = seen.loop
    taken = len(loop.main_steps)
    few = f" of {loop.requested}" if taken != loop.requested else ""
    yield from _wrapped(f"{typed}: {taken}{few} optimizer steps{_why(loop)}", width, "  ")
    yield ""
    for label, text in lines(seen):
        yield from _fact(label, text, width)
    yield ""
    yield from _verdicts(results, width)


def nothing_seen(loop: Loop, typed: str, width: int) -> Iterator[str]:
    """Yield what can be said of a training that took no step."""
    seen = f"{loop.forwards} forward passes with gradients, {loop.backwards} backward passes"
    yield from _wrapped(f"{typed}: no optimizer step{_why(loop)}; seen were {seen}", width, "  ")


def _why(loop: Loop) -> str:
    return f", then {one_line(loop.ending)}" if loop.ending else ""


def _fact(label: str, text: str, width: int) -> Iterator[str]:
    first, *rest = wrap(text, max(width - _LABEL, 20), break_on_hyphens=False, break_long_words=False) or [""]
    yield f"{label:<{_LABEL}}{first}".rstrip()
    yield from (f"{'':<{_LABEL}}{line}" for line in rest)


def _verdicts(results: Sequence[Result], width: int) -> Iterator[str]:
    bad = [result for result in results if result.verdict in BAD]
    unknown = [result for result in results if not result.verdict.is_decided]
    yield "looks wrong:" if bad else "Nothing looks wrong."
    for result in bad:
        yield from _blame(result, width)
    if unknown:
        yield "could not be judged:"
        for result in unknown:
            yield from _wrapped(f"  {result.criterion.id}: {one_line(result.reason)}", width, "    ")
    good = sum(result.verdict is Verdict.MET for result in results)
    look = "looks" if len(bad) == 1 else "look"
    yield f"{len(results)} checks: {good} met, {len(bad)} {look} wrong, {len(unknown)} not judged"


def _blame(result: Result, width: int) -> Iterator[str]:
    word = result.verdict.value
    first, *rest = _wrapped(f"  {word}: {one_line(result.reason)}", width, "    ")
    yield first.replace(word, paint(word, result.verdict), 1)
    yield from rest
    for line in detail_lines(result.observed.details if result.observed else {}):
        yield from _wrapped(f"    {line}", width, "      ")
    yield from _wrapped(f"    → {one_line(result.criterion.advice)}", width, "      ")


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Return lines of this width; what a check says of a spec is said of the command line, which has no spec."""
    return wrap(
        text.replace("`train.steps`", "`--steps`"),
        width,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
