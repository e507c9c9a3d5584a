"""Plain text for people: a table, a block for each criterion that needs attention, and a summary line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line, visible
from retspec.plugin import reporter
from retspec.records import Output, Report, Result, Verdict
from retspec.text.fitting import fitting_columns, wrapped
from retspec.text.printed import LAST_LINES, printed_lines
from retspec.text.wording import (
    detail_lines,
    duration,
    ends,
    margin,
    notes,
    outcome,
    readable,
    required,
    summary,
    troubles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Style = Callable[[str, Verdict], str]
    """Colours the word for a verdict; it may add ANSI codes, never visible characters."""

HEADERS = ("criterion", "observed", "limit", "margin", "verdict", "time")
_ALIGNMENT = ("left", "right", "left", "right", "left", "right")
_LEFT_OUT = (5, 3, 2, 1)
"""The columns that a narrow screen does without, in this order."""
_NOTHING = "—"
QUIET = frozenset({Verdict.MET, Verdict.SKIPPED})
"""Verdicts that need no attention."""
WORST_FIRST = (
    Verdict.MISSED,
    Verdict.CRASH,
    Verdict.OUT_OF_MEMORY,
    Verdict.TIMEOUT,
    Verdict.ERROR,
    Verdict.NOT_RUN,
    Verdict.INCONCLUSIVE,
    Verdict.WARNED,
    Verdict.WAIVED,
    Verdict.SKIPPED,
    Verdict.MET,
)
JUDGED_BAD = frozenset({Verdict.MISSED, Verdict.WARNED, Verdict.WAIVED})
"""Verdicts that come with advice."""


def _unstyled(word: str, _verdict: Verdict) -> str:
    return word


@reporter
def table(report: Report) -> str:
    """Plain text: a table, what needs a look, and a line that sums up."""
    return render_table(report)


def render_table(report: Report, *, style: Style = _unstyled, verbose: bool = False, width: int | None = None) -> str:
    """Return the report as text, the worst verdicts first.

    style: colours the words for verdicts.
    verbose: adds a block for each criterion that is met, the tracebacks, and all of the output that was kept.
    width: columns of the screen: a narrow one leaves out times, then margins, limits and values, which the sentences
        below repeat for all that needs a look. What was printed and tracebacks keep their lines.
    """
    results = worst_first(report.every_result)
    parts = [
        _rows(results, style, width),
        *_blocks(results, style, width, verbose=verbose),
        *(wrapped(_trouble(text), width) for text in troubles(report)),
        *_notes(report, width),
        wrapped(ending(report, style), width),
    ]
    return "\n\n".join(parts) + "\n"


def worst_first(results: Iterable[Result]) -> list[Result]:
    """Return results by their verdicts, those with the same verdict in the order of the spec."""
    return sorted(results, key=lambda result: WORST_FIRST.index(result.verdict))


def _rows(results: Sequence[Result], style: Style, width: int | None) -> str:
    from tabulate import tabulate  # noqa: PLC0415 - every command lists the formats, and few print a table

    rows = [row(result, style) for result in results]
    shown = [*range(len(HEADERS))] if width is None else fitting_columns([HEADERS, *rows], width, _LEFT_OUT)
    return tabulate(
        [[cells[column] for column in shown] for cells in rows],
        headers=[HEADERS[column] for column in shown],
        colalign=[_ALIGNMENT[column] for column in shown] if rows else None,
        disable_numparse=True,
    )


def row(result: Result, style: Style = _unstyled) -> tuple[str, ...]:
    """Return the cells of one criterion, under `HEADERS`."""
    criterion = result.criterion
    observed = result.observed
    room = margin(criterion, criterion.judged(observed)) if observed else None
    return (
        one_line(criterion.name),
        _NOTHING if observed is None else readable(observed.value, beside=criterion.limit) + ends(observed),
        one_line(required(criterion)),
        _NOTHING if room is None else readable(room),
        style(result.verdict.value, result.verdict),
        duration(result.seconds),
    )


def _blocks(results: Iterable[Result], style: Style, width: int | None, *, verbose: bool) -> Iterator[str]:
    printed: set[Output] = set()
    for group in by_cause(result for result in results if verbose or _needs_a_look(result)):
        headline, *rest = (wrapped(line, width) for line in _block(group))
        verdict = group[0].verdict
        styled = headline.replace(f": {verdict.value}:", f": {style(verdict.value, verdict)}:", 1)
        traces = _traces(group) if verbose else ()
        yield "\n".join([styled, *rest, *traces, *_outputs(group, printed, verbose=verbose)])


def _needs_a_look(result: Result) -> bool:
    """Whether there is something to do, which includes removing a waiver that is no longer needed."""
    waived = result.criterion.waive is not None and not result.criterion.cell
    return result.verdict not in QUIET or (result.verdict is Verdict.MET and waived)


def by_cause(results: Iterable[Result]) -> list[list[Result]]:
    """Group the criteria that have no verdict for the same reason; each of the others is a group by itself."""
    groups: dict[object, list[Result]] = {}
    for result in results:
        key = result.criterion.name if result.verdict.is_decided else (result.verdict, result.reason)
        groups.setdefault(key, []).append(result)
    return [*groups.values()]


def _block(results: list[Result]) -> Iterator[str]:
    first = results[0]
    yield _headline(results)
    if len(results) > 1:
        yield f"    criteria: {', '.join(one_line(result.criterion.name) for result in results)}"
    if first.observed:
        yield from (f"    {line}" for line in detail_lines(first.observed.details))
    if first.verdict in JUDGED_BAD:
        yield f"    → {one_line(first.criterion.advice)}"


def _headline(results: list[Result]) -> str:
    """Return `file:line: verdict: id: sentence`, without the id if the sentence begins with it."""
    first = results[0]
    criterion, reason = first.criterion, one_line(first.reason)
    who = f"{one_line(criterion.name)}: "
    if len(results) > 1:
        who = f"{len(results)} criteria: "
    elif reason.startswith(f"{criterion.name} = "):
        who = ""
    place = f"{one_line(criterion.mark.file)}:{criterion.mark.line}"
    return f"{place}: {first.verdict.value}: {who}{reason}"


def _traces(results: list[Result]) -> Iterator[str]:
    """Yield each traceback once: criteria that wait for one measurement carry the same."""
    for trace in dict.fromkeys(result.trace for result in results):
        yield from (f"    | {line}" for line in visible(trace).splitlines())


def _outputs(results: list[Result], shown: set[Output], *, verbose: bool) -> Iterator[str]:
    """Yield what was printed, unless it was shown before: criteria that wait for one measurement carry the same."""
    outputs = [output for result in results if verbose or result.verdict not in QUIET for output in result.output]
    for output in dict.fromkeys(outputs):
        if output in shown:
            yield f"    output of {one_line(output.source)}: as above"
        else:
            yield from (f"    {line}" for line in printed_lines(output, None if verbose else LAST_LINES))
        shown.add(output)


def _trouble(text: str) -> str:
    return f"run: {one_line(text)}"


def _notes(report: Report, width: int | None) -> list[str]:
    """Return the notes as one part, or nothing."""
    lines = [wrapped(f"note: {one_line(note)}", width) for note in notes(report)]
    return ["\n".join(lines)] if lines else []


def ending(report: Report, style: Style = _unstyled) -> str:
    """Return the counts and the outcome of a run in one line."""
    word, verdict = outcome(report)
    return f"{summary(report)}: {style(word, verdict)}"
