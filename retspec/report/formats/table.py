"""Plain text for people: a table, a block for each criterion that needs attention, and a summary line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line, visible
from retspec.plugin import reporter
from retspec.records import Output, Report, Result, Verdict
from retspec.text.printed import LAST_LINES, printed_lines
from retspec.text.wording import detail_lines, duration, margin, notes, outcome, readable, required, summary, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Style = Callable[[str, Verdict], str]
    """Colours the word for a verdict; it may add ANSI codes, never visible characters."""

HEADERS = ("criterion", "observed", "limit", "margin", "verdict", "time")
_ALIGNMENT = ("left", "right", "left", "right", "left", "right")
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


def render_table(report: Report, *, style: Style = _unstyled, verbose: bool = False) -> str:
    """Return the report as text.

    style: colours the words for verdicts.
    verbose: adds a block for each criterion that is met, the tracebacks, and all of the output that was kept.
    """
    from tabulate import tabulate  # noqa: PLC0415 - every command lists the formats, and few print a table

    rows = tabulate(
        [row(result, style) for result in report.every_result],
        headers=HEADERS,
        colalign=_ALIGNMENT if report.every_result else None,
        disable_numparse=True,
    )
    parts = [
        rows,
        *_blocks(report, style, verbose=verbose),
        *map(_trouble, troubles(report)),
        *_notes(report),
        ending(report, style),
    ]
    return "\n\n".join(parts) + "\n"


def row(result: Result, style: Style = _unstyled) -> tuple[str, ...]:
    """Return the cells of one criterion, under `HEADERS`."""
    criterion = result.criterion
    observed = result.observed.value if result.observed else None
    room = margin(criterion, observed)
    return (
        one_line(criterion.name),
        _NOTHING if observed is None else readable(observed, beside=criterion.limit),
        one_line(required(criterion)),
        _NOTHING if room is None else readable(room),
        style(result.verdict.value, result.verdict),
        duration(result.seconds),
    )


def _blocks(report: Report, style: Style, *, verbose: bool) -> Iterator[str]:
    shown = [result for result in report.every_result if verbose or _needs_a_look(result)]
    printed: set[Output] = set()
    for results in by_cause(shown):
        lines = [*_block(results, style, verbose=verbose), *_outputs(results, printed, verbose=verbose)]
        yield "\n".join(lines)


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


def _block(results: list[Result], style: Style, *, verbose: bool) -> Iterator[str]:
    first = results[0]
    yield _headline(results, style)
    if len(results) > 1:
        yield f"    criteria: {', '.join(one_line(result.criterion.name) for result in results)}"
    if first.observed:
        yield from (f"    {line}" for line in detail_lines(first.observed.details))
    if first.verdict in JUDGED_BAD:
        yield f"    → {one_line(first.criterion.advice)}"
    if verbose:
        yield from _traces(results)


def _headline(results: list[Result], style: Style) -> str:
    """Return `file:line: verdict: id: sentence`, without the id if the sentence begins with it."""
    first = results[0]
    criterion, reason = first.criterion, one_line(first.reason)
    who = f"{one_line(criterion.name)}: "
    if len(results) > 1:
        who = f"{len(results)} criteria: "
    elif reason.startswith(f"{criterion.name} = "):
        who = ""
    place = f"{one_line(criterion.mark.file)}:{criterion.mark.line}"
    return f"{place}: {style(first.verdict.value, first.verdict)}: {who}{reason}"


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


def _notes(report: Report) -> list[str]:
    """Return the notes as one part, a line each, or nothing."""
    lines = [f"note: {one_line(note)}" for note in notes(report)]
    return ["\n".join(lines)] if lines else []


def ending(report: Report, style: Style = _unstyled) -> str:
    """Return the counts and the outcome of a run in one line."""
    word, verdict = outcome(report)
    return f"{summary(report)}: {style(word, verdict)}"
