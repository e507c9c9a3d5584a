"""Plain text for people: a table, a block for each criterion that needs attention, and a summary line."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from retspec.characters import one_line, visible
from retspec.plugin import reporter
from retspec.records import Output, Report, Result, Verdict
from retspec.report.formats.alike import by_sight, names_of, shared_advice
from retspec.report.formats.cell_grid import cell_grid
from retspec.report.formats.times import time_lines
from retspec.text.fitting import fitting_columns, wrapped
from retspec.text.printed import LAST_LINES, printed_lines
from retspec.text.seeds import every_note, seen_under
from retspec.text.wording import (
    detail_lines,
    duration,
    ends,
    listing,
    margin,
    outcome,
    readable,
    required,
    summary,
    troubles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    Style = Callable[[str, Verdict], str]
    """Colours the word for a verdict; it may add ANSI codes, never visible characters."""

HEADERS = ("criterion", "observed", "limit", "margin", "verdict", "time")
SEEDS = "seeds"
"""The last column, where something was measured under several seeds."""
_ALIGNMENT = ("left", "right", "left", "right", "left", "right", "left")
_LEFT_OUT = (5, 6, 3, 2, 1)
"""The columns that a narrow screen does without, in this order."""
_NOTHING = "—"
_PADDING = "  "
"""What tabulate makes a column wider than its header, at least: `tabulate.MIN_PADDING`."""
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


class Top(Enum):
    """What comes before the criteria that need a look."""

    ROWS = auto()
    """A row for each criterion."""
    GRID = auto()
    """For a matrix, the grid of cells and criteria."""
    NOTHING = auto()


def render_table(
    report: Report,
    *,
    style: Style = _unstyled,
    verbose: bool = False,
    width: int | None = None,
    top: Top = Top.ROWS,
) -> str:
    """Return the report as text, the worst verdicts first.

    style: colours the words for verdicts.
    verbose: adds a block for each criterion that is met, the tracebacks, all of the output that was kept, and where
        the time went.
    width: columns of the screen: a narrow one leaves out times, then margins, limits and values, which the sentences
        below repeat for all that needs a look. What was printed and tracebacks keep their lines.
    """
    results = worst_first(report.every_result)
    parts = [
        *_top(report, results, style, width, top),
        *_blocks(results, style, width, verbose=verbose),
        *_times(report, verbose=verbose),
        *(wrapped(_trouble(text), width) for text in troubles(report)),
        *_notes(report, width),
        fitted_ending(report, style, width),
    ]
    return "\n\n".join(parts) + "\n"


def _top(report: Report, results: Sequence[Result], style: Style, width: int | None, top: Top) -> list[str]:
    if top is Top.GRID and report.cells:
        return [cell_grid(report, style, width, WORST_FIRST)]
    return [] if top is Top.NOTHING else [_rows(results, style, width)]


def _times(report: Report, *, verbose: bool) -> list[str]:
    """Return where the time went as one part, or nothing."""
    lines = [*time_lines(report)] if verbose else []
    return ["\n".join(lines)] if lines else []


def worst_first(results: Iterable[Result]) -> list[Result]:
    """Return results by their verdicts, those with the same verdict in the order of the spec."""
    return sorted(results, key=lambda result: WORST_FIRST.index(result.verdict))


def _rows(results: Sequence[Result], style: Style, width: int | None) -> str:
    from tabulate import tabulate  # noqa: PLC0415 - every command lists the formats, and few print a table

    headers = headers_of(results)
    rows = [row(result, style)[: len(headers)] for result in results]
    heads = tuple(header + _PADDING for header in headers)
    left_out = [column for column in _LEFT_OUT if column < len(headers)]
    shown = [*range(len(headers))] if width is None else fitting_columns([heads, *rows], width, left_out)
    return tabulate(
        [[cells[column] for column in shown] for cells in rows],
        headers=[headers[column] for column in shown],
        colalign=[_ALIGNMENT[column] for column in shown] if rows else None,
        disable_numparse=True,
    )


def headers_of(results: Iterable[Result]) -> tuple[str, ...]:
    """Return the headers of a table of some results."""
    return (*HEADERS, SEEDS) if any(result.seeds is not None for result in results) else HEADERS


def row(result: Result, style: Style = _unstyled) -> tuple[str, ...]:
    """Return the cells of one criterion, under `HEADERS` and `SEEDS`."""
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
        seen_under(result) or _NOTHING,
    )


def _blocks(results: Iterable[Result], style: Style, width: int | None, *, verbose: bool) -> Iterator[str]:
    printed: set[Output] = set()
    groups = by_sight(result for result in results if verbose or _needs_a_look(result))
    shared = shared_advice(group for group in groups if group[0].verdict in JUDGED_BAD)
    for group in groups:
        headline, *rest = (wrapped(line, width) for line in _block(group, shared))
        verdict = group[0].verdict
        styled = headline.replace(f": {verdict.value}:", f": {style(verdict.value, verdict)}:", 1)
        traces = _traces(group) if verbose else ()
        yield "\n".join([styled, *rest, *traces, *_outputs(group, printed, verbose=verbose)])
    for text, missed in shared.items():
        yield f"{wrapped(f'{names_of(missed)}:', width)}\n{wrapped(f'    → {text}', width)}"


def _needs_a_look(result: Result) -> bool:
    """Whether there is something to do, which includes removing a waiver that is no longer needed."""
    waived = result.criterion.waive is not None and not result.criterion.cell
    return result.verdict not in QUIET or (result.verdict is Verdict.MET and waived)


def _block(results: list[Result], shared: Collection[str]) -> Iterator[str]:
    first = results[0]
    yield _headline(results)
    if _is_one_criterion(results):
        yield f"    cells: {listing([one_line(result.criterion.cell) for result in results])}"
    elif len(results) > 1:
        yield f"    criteria: {names_of(results)}"
    if first.observed:
        yield from (f"    {line}" for line in detail_lines(first.observed.details))
    if first.verdict in JUDGED_BAD and (advice := one_line(first.criterion.advice)) not in shared:
        yield f"    → {advice}"


def _is_one_criterion(results: Sequence[Result]) -> bool:
    """Whether this is one criterion in several cells."""
    return len(results) > 1 and len({result.criterion.id for result in results}) == 1


def _headline(results: list[Result]) -> str:
    """Return `file:line: verdict: id: sentence`, without the id if the sentence begins with it."""
    first = results[0]
    criterion, reason = first.criterion, one_line(first.reason)
    who = f"{one_line(criterion.name)}: "
    if len(results) > 1:
        who = f"{names_of(results) if _is_one_criterion(results) else f'{len(results)} criteria'}: "
    elif reason.startswith(f"{criterion.name} = "):
        who = ""
    place = criterion.mark.in_line(one_line(criterion.mark.file))
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
    lines = [wrapped(f"note: {one_line(note)}", width) for note in every_note(report)]
    return ["\n".join(lines)] if lines else []


def fitted_ending(report: Report, style: Style, width: int | None, name: str = "") -> str:
    """Return the last line, after a name if there is one, wrapped before it is coloured: codes take no columns."""
    word, verdict = outcome(report)
    line = wrapped(f"{name}: {ending(report)}" if name else ending(report), width)
    return line.removesuffix(word) + style(word, verdict) if line.endswith(word) else line


def ending(report: Report) -> str:
    """Return the counts and the outcome of a run in one line."""
    return f"{summary(report)}: {outcome(report)[0]}"
